/// Expands Celery's escapes: %h full host name, %n its first label (in names of files the part of the node name before
/// "@"), %d its domain, %I the number of a process of a pool (none: the host's own), %% a percent sign.
enum NodeName {
    static func expand(_ pattern: String, hostName: String, nodeName: String? = nil) -> String {
        let label = nodeName.map { $0.prefix { $0 != "@" } } ?? hostName.prefix { $0 != "." }
        let domain = hostName.drop { $0 != "." }.dropFirst()
        var result = ""
        var rest = pattern[...]
        while let percent = rest.firstIndex(of: "%") {
            result += rest[..<percent]
            let next = rest.index(after: percent)
            guard next < rest.endIndex else {
                rest = rest[percent...]
                break
            }
            switch rest[next] {
            case "h": result += hostName
            case "n": result += label
            case "d": result += domain
            case "I" where nodeName != nil: break
            case "%": result += "%"
            default: result += rest[percent...next]
            }
            rest = rest[rest.index(after: next)...]
        }
        return result + rest
    }

    /// It becomes part of the names of queues and stands in lines of the log. nil: none.
    static func problem(with name: String) -> String? {
        if name.utf8.count > 200 { return "a node name of \(name.utf8.count) bytes is too long: at most 200" }
        if name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            return "the node name \(name.debugDescription) holds control characters"
        }
        return nil
    }

    /// A name without "@" is the host's part, as with Celery.
    static func complete(_ name: String) -> String { name.contains("@") ? name : "celery@\(name)" }
}
