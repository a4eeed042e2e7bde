/// Finds where a key stands in a TOML text. The parser tells positions only for syntax errors, and a complaint about
/// a setting should point at its line too.
public struct KeyPosition: Equatable {
    /// Both counted from 1.
    public var line: Int
    public var column: Int

    /// The place of the longest leading part of `path` that the text spells out; the first line when there is none.
    public static func find(_ path: [String], in text: String) -> KeyPosition {
        var best = KeyPosition(line: 1, column: 1)
        var bestDepth = 0
        var table: [String] = []
        var insideText = false
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let delimiters = line.split(separator: "\"\"\"", omittingEmptySubsequences: false).count - 1
            defer { if delimiters % 2 == 1 { insideText.toggle() } }
            if insideText { continue }
            let indent = line.prefix { $0 == " " || $0 == "\t" }.count
            let content = line.dropFirst(indent)
            let key: [String]
            if content.hasPrefix("[") {
                table = keys(content.drop { $0 == "[" }, endingAt: "]")
                key = table
            } else if content.contains("="), !content.hasPrefix("#") {
                key = table + keys(content, endingAt: "=")
            } else {
                continue
            }
            if key.count > bestDepth, path.starts(with: key) {
                bestDepth = key.count
                best = KeyPosition(line: index + 1, column: indent + 1)
            }
        }
        return best
    }

    /// Splits a dotted key, quotes removed, up to an unquoted `end`.
    private static func keys(_ text: Substring, endingAt end: Character) -> [String] {
        var parts: [String] = []
        var part = ""
        var quote: Character?
        for character in text {
            if let open = quote {
                if character == open { quote = nil } else { part.append(character) }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if character == end {
                break
            } else if character == "." {
                parts.append(part)
                part = ""
            } else if !character.isWhitespace {
                part.append(character)
            }
        }
        return parts + [part]
    }
}
