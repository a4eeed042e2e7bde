// What Python's `re` spells otherwise than PCRE2, and what only PCRE2 knows.

/// Reads a pattern of Python's and writes PCRE2's: one language, whichever worker a pattern reaches.
struct PythonPattern {
    private var rest: Substring.UnicodeScalarView
    private var out = String.UnicodeScalarView()

    init(_ pattern: String) { rest = Substring(pattern).unicodeScalars }

    /// After `(?`: what Python knows. Recursion, callouts, branch resets and the like are PCRE2's only.
    private static let groups = [":", "P<", "P=", "=", "!", "<=", "<!", "(", ">"]
    private static let flags = "aimsux-LI"
    /// Letters after a backslash that mean the same in both.
    private static let sameLetters = Set("AbBdDsSwWafnrt".unicodeScalars)

    /// - Throws: what Python's `re` refuses as well, named.
    func translated() throws(PatternMatch.Refusal) -> String {
        var reader = self
        while let scalar = reader.rest.popFirst() {
            switch scalar {
            case "\\": try reader.escape(inClass: false)
            case "[": try reader.characterClass()
            case "(": try reader.group()
            case "{": reader.repeats()
            default: reader.out.append(scalar)
            }
        }
        return String(reader.out)
    }

    private mutating func group() throws(PatternMatch.Refusal) {
        out.append("(")
        if rest.first == "*" { throw refusal("(*") }
        guard rest.first == "?" else { return }
        let after = Substring(rest.dropFirst())
        if after.hasPrefix("#") { return comment() }
        if Self.groups.contains(where: { after.hasPrefix($0) }) { return }
        // (?i), (?i:…), (?s-i:…); all text is Unicode, as by (?u).
        let letters = after.unicodeScalars.prefix { Self.flags.unicodeScalars.contains($0) }
        let end = after.unicodeScalars[letters.endIndex...].first
        guard !letters.isEmpty, end == ")" || end == ":" else { throw refusal("(?\(after.prefix(1))") }
        guard !letters.contains("a"), !letters.contains("L") else {
            throw PatternMatch.Refusal(reason: "has '(?\(String(letters))', but all names are Unicode here")
        }
        rest = rest.dropFirst(1 + letters.count)
        let kept = letters.filter { $0 != "u" }
        out.append("?")
        out.append(contentsOf: kept)
    }

    private mutating func comment() {
        while let scalar = rest.popFirst() {
            out.append(scalar)
            if scalar == ")" { return }
        }
    }

    /// `{,n}` is `{0,n}`, which PCRE2 before 10.43 takes for text.
    private mutating func repeats() {
        out.append("{")
        guard rest.first == "," else { return }
        let digits = rest.dropFirst().prefix { ("0"..."9").contains($0) }
        if !digits.isEmpty, rest[digits.endIndex...].first == "}" { out.append("0") }
    }

    private mutating func characterClass() throws(PatternMatch.Refusal) {
        out.append("[")
        if rest.first == "^" { out.append(rest.removeFirst()) }
        // A bracket that closes nothing is itself.
        if rest.first == "]" { out.append(rest.removeFirst()) }
        while let scalar = rest.popFirst() {
            switch scalar {
            case "]":
                out.append(scalar)
                return
            case "\\": try escape(inClass: true)
            // `[:alpha:]` is PCRE2's only.
            case "[": out.append(contentsOf: "\\[".unicodeScalars)
            default: out.append(scalar)
            }
        }
    }

    private mutating func escape(inClass: Bool) throws(PatternMatch.Refusal) {
        guard let scalar = rest.popFirst() else { throw PatternMatch.Refusal(reason: "ends in a backslash") }
        switch scalar {
        case "Z" where !inClass: write("\\z")
        case "v": write("\\x0b")
        case "x": try character(digits: 2, after: scalar)
        case "u": try character(digits: 4, after: scalar)
        case "U": try character(digits: 8, after: scalar)
        case "a"..."z", "A"..."Z":
            guard Self.sameLetters.contains(scalar) else { throw refusal("\\\(scalar)") }
            write("\\\(scalar)")
        default: write("\\\(scalar)")
        }
    }

    private mutating func character(digits count: Int, after letter: Unicode.Scalar) throws(PatternMatch.Refusal) {
        let digits = String(rest.prefix(count))
        guard digits.unicodeScalars.count == count, let value = UInt32(digits, radix: 16), Unicode.Scalar(value) != nil
        else { throw refusal("\\\(letter)\(digits)") }
        rest = rest.dropFirst(count)
        write("\\x{\(digits)}")
    }

    private mutating func write(_ text: String) { out.append(contentsOf: text.unicodeScalars) }

    private func refusal(_ what: String) -> PatternMatch.Refusal {
        PatternMatch.Refusal(reason: "has '\(what)', which Python's re does not know either")
    }
}
