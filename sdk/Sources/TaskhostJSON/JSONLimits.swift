// How much of a foreign text is worth reading.

/// Bounds on a JSON text. What exceeds them is an error, found before memory is spent on it.
public struct JSONLimits: Sendable, Equatable {
    /// Containers within each other; 1 allows `[]` and `{}`, 0 only scalars. 0…512: the parser recurses.
    public let maxDepth: Int
    /// Values in the whole text, containers included, keys not. At least 1.
    public let maxNodes: Int
    /// A text with halves of surrogate pairs becomes `JSON.surrogates` instead of an error. Not so a key.
    public let keepsSurrogates: Bool

    /// Digits of an integer, as CPython bounds them (converting longer ones takes quadratic time).
    public static let maxDigits = 4300

    /// Values out of range are moved to the nearest bound.
    public init(maxDepth: Int, maxNodes: Int, keepsSurrogates: Bool = false) {
        self.maxDepth = max(0, min(512, maxDepth))
        self.maxNodes = max(1, maxNodes)
        self.keepsSurrogates = keepsSurrogates
    }

    /// For untrusted input: 32 levels, 10,000 values.
    public static let wire = JSONLimits(maxDepth: 32, maxNodes: 10_000)

    /// For what our own processes write, and what has been checked before: 512 levels, no bound on the number of
    /// values, every text that a scan lets through.
    public static let trusted = JSONLimits(maxDepth: 512, maxNodes: .max, keepsSurrogates: true)
}
