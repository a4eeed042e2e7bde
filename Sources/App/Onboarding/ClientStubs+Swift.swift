// Stubs for Swift programs: a TaskDeclaration for each task, to be sent by TaskhostClient or from other tasks.
import TaskModel
import TaskhostJSON

extension ClientStubs {
    private static let keywords: Set<String> = [
        "as", "associatedtype", "break", "case", "catch", "class", "continue", "default", "defer", "deinit", "do",
        "else",
        "enum", "extension", "fallthrough", "false", "fileprivate", "for", "func", "guard", "if", "import", "in",
        "init",
        "inout", "internal", "is", "let", "nil", "operator", "precedencegroup", "private", "protocol", "public",
        "repeat", "rethrows", "return", "self", "static", "struct", "subscript", "super", "switch", "throw", "throws",
        "true", "try", "typealias", "var", "where", "while",
    ]

    static func swift(_ tasks: [TaskManifest], of bundles: String) -> String {
        let names = uniqueNames(tasks, typeName)
        var text = "// \(madeBy("swift", bundles))\nimport TaskhostSDK\n"
        for (task, name) in zip(tasks, names) { text += "\n" + swift(task, named: name) }
        return text
    }

    /// "ResizeAll" of "resize_all".
    private static func typeName(_ name: String) -> String {
        let words = name.split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
        let joined = words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        return joined.isEmpty || joined.first?.isNumber == true ? "Task" + joined : joined
    }

    private static func swift(_ task: TaskManifest, named name: String) -> String {
        guard task.parameters.allSatisfy({ isIdentifier($0.name) }) else {
            return "// \(task.name) takes any number of arguments, or such with names that Swift has not: Signature(\""
                + "\(task.name)\", arguments: […]).\n"
        }
        let fields = task.parameters.map { parameter -> (name: String, type: String, isOptional: Bool) in
            let type = StubType(parameter.type).swift
            let word = keywords.contains(parameter.name) ? "`\(parameter.name)`" : parameter.name
            guard let text = parameter.defaultJSON else { return (word, type, false) }
            // Left out, the bundle's own default holds.
            return (word, type.hasSuffix("?") || text == "null" && type == "JSON" ? type : type + "?", true)
        }
        let doc = task.options.doc.map { "/// \(oneLine($0))\n" } ?? ""
        let queue = task.options.queue.map { "/// Queue: \(oneLine($0)).\n" } ?? ""
        var lines = ["public struct \(name): TaskDeclaration {"]
        lines.append("    public static let taskName = \(JSON.string(task.name))")
        lines.append("    public typealias Output = \(task.result.map { StubType($0).swift } ?? "JSON")")
        for field in fields { lines.append("    public var \(field.name): \(field.type)") }
        let parameters = fields.map { "\($0.name): \($0.type)" + ($0.isOptional ? " = nil" : "") }
        lines.append("")
        lines.append("    public init(\(parameters.joined(separator: ", "))) {")
        for field in fields { lines.append("        self.\(field.name) = \(field.name)") }
        lines.append("    }")
        lines.append("}")
        return doc + queue + lines.joined(separator: "\n") + "\n"
    }
}
