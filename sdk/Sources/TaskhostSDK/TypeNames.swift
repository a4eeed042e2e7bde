// Swift's type names as an author writes them, for signatures, and in snake case, for task names.

enum TypeNames {
    /// "[String]", "Int?", "[String:Double]", "Report". Names inside a module or type are written without it.
    static func written(_ type: Any.Type) -> String {
        let text = String(describing: type)
        return text == "()" ? "Void" : rewritten(text[...])
    }

    /// "ResizeAll" → "resize_all", "HTTPFetch" → "http_fetch".
    static func snakeCased(_ name: String) -> String {
        var words = ""
        let letters = Array(name)
        for (index, letter) in letters.enumerated() {
            let startsWord =
                letter.isUppercase && index > 0
                && (!letters[index - 1].isUppercase || (index + 1 < letters.count && letters[index + 1].isLowercase))
            if startsWord, words.last != "_" { words.append("_") }
            words.append(contentsOf: letter.lowercased())
        }
        return words
    }

    /// Works on the text: the arguments of a generic type can't be had as types. They come with their modules' names.
    private static func rewritten(_ text: Substring) -> String {
        let trimmed = text.drop { $0 == " " }
        guard let open = trimmed.firstIndex(of: "<"), trimmed.last == ">" else {
            return trimmed.split(separator: ".").last.map(String.init) ?? String(trimmed)
        }
        let inner = trimmed[trimmed.index(after: open)..<trimmed.index(before: trimmed.endIndex)]
        let arguments = split(inner).map(rewritten)
        switch (trimmed[..<open].split(separator: ".").last ?? "", arguments.count) {
        case ("Optional", 1): return arguments[0] + "?"
        case ("Array", 1): return "[" + arguments[0] + "]"
        case ("Dictionary", 2): return "[" + arguments[0] + ":" + arguments[1] + "]"
        case (let name, _): return name + "<" + arguments.joined(separator: ",") + ">"
        }
    }

    /// At the commas that are in no brackets.
    private static func split(_ text: Substring) -> [Substring] {
        var parts: [Substring] = []
        var depth = 0
        var start = text.startIndex
        for index in text.indices {
            switch text[index] {
            case "<", "(", "[": depth += 1
            case ">", ")", "]": depth -= 1
            case "," where depth == 0:
                parts.append(text[start..<index])
                start = text.index(after: index)
            default: break
            }
        }
        parts.append(text[start...])
        return parts
    }
}
