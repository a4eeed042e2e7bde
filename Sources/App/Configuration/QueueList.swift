import Output

/// Reads "urgent,normal" (order of preference) and "urgent:3,normal:1" (shares).
package struct QueueList: Sendable, Equatable {
    package struct Entry: Sendable, Equatable {
        package var name: String
        /// ≥ 1; nil: by order.
        package var share: Int?
    }

    package var entries: [Entry]

    init(_ names: [String], origin: String) throws(CommandFailure) {
        entries = []
        for word in names {
            let entry = try Self.entry(word, origin: origin)
            guard !entries.contains(where: { $0.name == entry.name }) else {
                throw .configuration("\(origin): queue \"\(entry.name)\" is named twice")
            }
            entries.append(entry)
        }
        guard !entries.isEmpty else { throw .configuration("\(origin): no queue named") }
        let shared = entries.filter { $0.share != nil }
        guard shared.isEmpty || shared.count == entries.count else {
            throw .configuration(
                "\(origin): some queues have shares and some have not",
                fix: "give every queue a share (urgent:3,normal:1), or none (urgent,normal: in this order)")
        }
    }

    private static func entry(_ word: String, origin: String) throws(CommandFailure) -> Entry {
        guard let colon = word.lastIndex(of: ":") else { return Entry(name: word, share: nil) }
        let name = String(word[..<colon])
        guard !name.isEmpty, let share = Int(word[word.index(after: colon)...]), (1...1000).contains(share) else {
            throw .configuration(
                "\(origin): \"\(word)\" is no queue with a share", fix: "write NAME:SHARE with a share from 1 to 1000")
        }
        return Entry(name: name, share: share)
    }
}
