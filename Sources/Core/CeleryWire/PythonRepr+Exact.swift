// Python's `repr`, as exceptions show it: quotes chosen and everything that does not print escaped, so that it is
// always one line (celery-protocol.md §6.3).
public import TaskModel
public import TaskhostJSON

extension PythonRepr {
    /// Characters shown at most.
    private static let maxExact = 16_384

    /// `ValueError('bad', 7)`.
    public static func exception(type: String, arguments: [JSON]) -> String {
        var text = "\(type)("
        for (index, argument) in arguments.enumerated() where text.utf8.count < maxExact {
            if index > 0 { text += ", " }
            appendExact(argument, to: &text)
        }
        text += ")"
        guard text.unicodeScalars.count > maxExact else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(maxExact))) + "..."
    }

    private static func appendExact(_ value: JSON, to text: inout String) {
        switch value {
        case .string(let string): appendExact(string, to: &text)
        case .array(let elements):
            text += "["
            for (index, element) in elements.enumerated() where text.utf8.count < maxExact {
                if index > 0 { text += ", " }
                appendExact(element, to: &text)
            }
            text += "]"
        case .object(let members):
            text += "{"
            for (index, member) in members.enumerated() where text.utf8.count < maxExact {
                if index > 0 { text += ", " }
                appendExact(member.key, to: &text)
                text += ": "
                appendExact(member.value, to: &text)
            }
            text += "}"
        case .null, .bool, .int, .bigInteger, .double, .surrogates: text += repr(value)
        }
    }

    private static func appendExact(_ string: String, to text: inout String) {
        let quote: Unicode.Scalar = string.contains("'") && !string.contains("\"") ? "\"" : "'"
        text.unicodeScalars.append(quote)
        for scalar in string.unicodeScalars.prefix(maxExact) {
            switch scalar {
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case quote:
                text += "\\"
                text.unicodeScalars.append(quote)
            case " "..."~": text.unicodeScalars.append(scalar)
            default:
                if isPrintable(scalar) { text.unicodeScalars.append(scalar) } else { text += escape(scalar) }
            }
        }
        text.unicodeScalars.append(quote)
    }

    /// Python's `str.isprintable`, for what is not ASCII.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            false
        default: true
        }
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16)
        let (mark, width) = scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
        return "\\\(mark)" + String(repeating: "0", count: width - digits.count) + digits
    }
}

extension TaskFailure {
    /// What the exception says: its only text, or all its arguments as Python shows them.
    public var message: String {
        let arguments: [JSON]
        do throws(JSONError) {
            arguments = try JSON(parsing: self.arguments, limits: .trusted).elements ?? []
        } catch {
            return String(decoding: self.arguments, as: UTF8.self)
        }
        return switch arguments.count {
        case 0: ""
        case 1: arguments[0].text ?? PythonRepr.repr(arguments[0])
        default: PythonRepr.callRepr(args: arguments, kwargs: []).args
        }
    }

    /// For those who always read one: Celery's events have it as a text.
    public var tracebackText: String { traceback ?? "\(type): \(message)\n" }
}
