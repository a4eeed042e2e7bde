// Limits by key: which of a task's arguments they go by, and what of it.
import CeleryWire
public import TaskModel
import TaskhostJSON

/// "url", "url:domain", or "0" for the first argument.
public struct LimitKey: Sendable, Equatable {
    var argument: String
    var isDomain: Bool
    /// Longer values are distinguished by a digest.
    private static let maxBytes = 200

    /// nil: no argument's name, or a part of it that does not exist.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard let name = parts.first, !name.isEmpty, parts.count == 1 || (parts.count == 2 && parts[1] == "domain")
        else { return nil }
        argument = String(name)
        isDomain = parts.count == 2
    }

    /// Whether the task has that argument; handlers that take any by name are not asked.
    public func fits(_ manifest: TaskManifest) -> Bool {
        if let index = Int(argument) { return manifest.parameters.indices.contains(index) }
        return manifest.parameters.contains { $0.name == argument }
    }

    /// Of this message. Without the argument: nothing, which is a key like any other.
    func value(in message: TaskMessage, of manifest: TaskManifest) -> String {
        guard let found = argument(in: message, manifest) else { return "" }
        let text = found.text ?? String(decoding: found.bytes, as: UTF8.self)
        return Self.short(isDomain ? Self.domain(of: text) : text)
    }

    private func argument(in message: TaskMessage, _ manifest: TaskManifest) -> JSON? {
        let index = Int(argument) ?? manifest.parameters.firstIndex { $0.name == argument }
        let name = index.flatMap { manifest.parameters.indices.contains($0) ? manifest.parameters[$0].name : nil }
        do {
            if let named = try JSON(parsing: message.body[message.kwargsRange], limits: .trusted)[name ?? argument] {
                return named
            }
            let all = try JSON(parsing: message.body[message.argsRange], limits: .trusted).elements ?? []
            return index.flatMap { all.indices.contains($0) ? all[$0] : nil }
        } catch {
            // The decoder has read them; a body that is none is refused before it comes here.
            return nil
        }
    }

    /// "https://me@Example.org:8080/x" is "example.org"; a text without "//" is taken for a host.
    static func domain(of url: String) -> String {
        var rest = url[...]
        if let slash = rest.indices.first(where: { rest[$0...].hasPrefix("//") }) {
            rest = rest[slash...].dropFirst(2)
        }
        rest = rest.prefix { !"/?#".contains($0) }
        if let at = rest.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
        if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
            rest = rest[...end]
        } else if let colon = rest.lastIndex(of: ":") {
            rest = rest[..<colon]
        }
        return rest.lowercased()
    }

    private static func short(_ text: String) -> String {
        guard text.utf8.count > maxBytes else { return text }
        // FNV-1a: the same on every host.
        let digest = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return String(decoding: text.utf8.prefix(maxBytes), as: UTF8.self) + "#" + String(digest, radix: 16)
    }
}
