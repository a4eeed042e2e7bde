// Why a text is not JSON (or not JSON we read).

public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Reason: String, Sendable, Equatable {
        case unexpectedEnd = "the text ends too early"
        case unexpectedCharacter = "unexpected character"
        case trailingCharacters = "characters after the value"
        case badNumber = "not a number"
        case tooManyDigits = "integer with more than 4300 digits"
        case badEscape = "unknown escape"
        case controlCharacter = "unescaped control character in a string"
        case badUTF8 = "not UTF-8"
        case loneSurrogate = "half of a surrogate pair"
        case tooDeep = "nested too deep"
        case tooManyNodes = "too many values"
        case notAnArray = "not an array"
        case notAnObject = "not an object"
    }

    /// Bytes before the place in question.
    public var offset: Int
    public var reason: Reason

    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    /// Says nothing of the text's content, so that it may be logged.
    public var description: String { "\(reason.rawValue) at byte \(offset)" }
}
