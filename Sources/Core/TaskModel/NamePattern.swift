// Patterns of tasks' names.

public enum NamePattern {
    /// Whether a name is the pattern, or fits it, `*` standing for any text.
    public static func matches(_ pattern: String, _ name: String) -> Bool { matches(pattern.utf8[...], name.utf8[...]) }

    /// Greedy with one point to come back to: linear in practice, never worse than the product of the lengths.
    private static func matches(_ pattern: Substring.UTF8View, _ name: Substring.UTF8View) -> Bool {
        var pattern = pattern
        var name = name
        var retry: (pattern: Substring.UTF8View, name: Substring.UTF8View)?
        while true {
            if pattern.first == UInt8(ascii: "*") {
                pattern = pattern.dropFirst()
                retry = (pattern, name)
            } else if let next = name.first, pattern.first == next {
                pattern = pattern.dropFirst()
                name = name.dropFirst()
            } else if name.isEmpty, pattern.isEmpty {
                return true
            } else if let place = retry, !place.name.isEmpty {
                retry = (place.pattern, place.name.dropFirst())
                (pattern, name) = (place.pattern, place.name.dropFirst())
            } else {
                return false
            }
        }
    }
}
