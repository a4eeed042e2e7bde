// What a line of the log holds at most, whatever messages and tasks put into it.

enum LogText {
    /// Bytes of the sentence, and of each text that goes with it.
    static let maxBytes = 16 << 10

    /// The text, or as much of it as is allowed and how much more it was.
    static func bounded(_ text: String) -> String {
        let count = text.utf8.count
        guard count > maxBytes else { return text }
        // At most three steps back to the start of a character.
        for most in stride(from: maxBytes, through: maxBytes - 3, by: -1) {
            if let start = String(text.utf8.prefix(most)) { return "\(start)… (\(count - most) bytes more)" }
        }
        return "(\(count) bytes)"
    }
}
