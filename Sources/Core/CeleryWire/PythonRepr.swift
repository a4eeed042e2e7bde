// Python's notation of values, cut to length as Celery cuts it: `argsrepr`, `kwargsrepr`, log lines, events.
public import TaskhostJSON

public enum PythonRepr {
    /// Lists as lists, objects as dicts; below `maxDepth` levels containers are shown as `[...]`, and about
    /// `maxLength` characters of content are shown.
    public static func repr(_ value: JSON, maxLength: Int = 1024, maxDepth: Int = 3) -> String {
        var printer = ReprPrinter(remaining: maxLength, maxDepth: maxDepth)
        printer.print(value)
        return printer.text
    }

    /// Positional arguments as a tuple, keyword arguments as a dict.
    public static func callRepr(
        args: [JSON], kwargs: [JSONMember], maxLength: Int = 1024, maxDepth: Int = 3
    ) -> (args: String, kwargs: String) {
        var tuple = ReprPrinter(remaining: maxLength, maxDepth: maxDepth)
        tuple.print(args, open: "(", close: args.count == 1 ? ",)" : ")")
        return (tuple.text, repr(.object(kwargs), maxLength: maxLength, maxDepth: maxDepth))
    }

    /// `repr` of a float.
    public static func repr(_ value: Double) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        let magnitude = value.magnitude
        // Swift goes over to exponents only at 2^54; Python at 10^16. There both print all digits of an integer.
        guard magnitude >= 1e16, magnitude < 18_014_398_509_481_984 else { return value.description }
        let digits = Array(String(UInt64(magnitude)).utf8)
        var fraction = digits.dropFirst()
        while fraction.last == UInt8(ascii: "0") { fraction.removeLast() }
        let point = fraction.isEmpty ? "" : "." + String(decoding: fraction, as: UTF8.self)
        return "\(value < 0 ? "-" : "")\(digits[0] - 0x30)\(point)e+\(digits.count - 1)"
    }
}

/// Writes tokens as long as the length lasts; then `, ...`, and the brackets that are still open are closed.
private struct ReprPrinter {
    private(set) var text = ""
    private var remaining: Int
    private let maxDepth: Int
    private var depth = 0
    private var isCut = false

    init(remaining: Int, maxDepth: Int) {
        self.remaining = remaining
        self.maxDepth = maxDepth
    }

    mutating func print(_ value: JSON) {
        switch value {
        case .null: put("None")
        case .bool(let flag): put(flag ? "True" : "False")
        case .int(let number): put(String(number))
        case .bigInteger(let digits): put(digits)
        case .double(let number): put(PythonRepr.repr(number))
        case .string(let string), .surrogates(let string): putQuoted(string)
        case .array(let elements): print(elements, open: "[", close: "]")
        case .object(let members): print(members)
        }
    }

    mutating func print(_ elements: [JSON], open: String, close: String) {
        guard enter(open, close) else { return }
        for (index, element) in elements.enumerated() where !isCut {
            if index > 0 { putWhole(", ") }
            print(element)
        }
        leave(close)
    }

    private mutating func print(_ members: [JSONMember]) {
        guard enter("{", "}") else { return }
        for (index, member) in members.enumerated() where !isCut {
            if index > 0 { putWhole(", ") }
            putQuoted(member.key)
            putWhole(": ")
            print(member.value)
        }
        leave("}")
    }

    private mutating func enter(_ open: String, _ close: String) -> Bool {
        guard depth < maxDepth else {
            putWhole("\(open)...\(close)")
            return false
        }
        putWhole(open)
        guard !isCut else { return false }
        depth += 1
        return true
    }

    private mutating func leave(_ close: String) {
        depth -= 1
        text += close
        if !isCut, remaining > 0 { remaining -= close.unicodeScalars.count }
    }

    private mutating func mayPut() -> Bool {
        if remaining <= 0, !isCut {
            isCut = true
            text += ", ..."
        }
        return !isCut
    }

    /// Not to be cut in half.
    private mutating func putWhole(_ token: String) {
        guard mayPut() else { return }
        text += token
        remaining -= token.unicodeScalars.count
    }

    private mutating func put(_ token: String) {
        guard mayPut() else { return }
        let shown = truncated(token)
        text += shown
        remaining -= shown.unicodeScalars.count
    }

    private mutating func putQuoted(_ string: String) {
        guard mayPut() else { return }
        var shown = "'"
        for scalar in truncated(string).unicodeScalars {
            if scalar == "'" { shown += "\\" }
            shown.unicodeScalars.append(scalar)
        }
        shown += "'"
        text += shown
        remaining -= shown.unicodeScalars.count
    }

    /// At most what remains, cut after a word.
    private func truncated(_ string: String) -> String {
        guard string.utf8.count >= remaining, string.unicodeScalars.count >= remaining else { return string }
        let head = string.unicodeScalars.prefix(remaining)
        let end = head.lastIndex(of: " ") ?? head.endIndex
        return String(head[..<end]) + "..."
    }
}
