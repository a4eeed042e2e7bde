// Telling the same thing once, however often it happens.

/// Names that were reported already. Bounded, as clients choose the names.
public struct ReportedNames: Sendable {
    private static let capacity = 1_000
    private var names: Set<String> = []
    /// All occurrences, reported or not.
    public private(set) var count = 0

    public init() {}

    /// True when this name is to be reported.
    public mutating func isNew(_ name: String) -> Bool {
        count += 1
        guard names.count < Self.capacity else { return false }
        return names.insert(String(name.prefix(255))).inserted
    }
}
