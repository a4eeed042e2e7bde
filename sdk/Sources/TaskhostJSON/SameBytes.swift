// Whether two texts are the same bytes. Swift's own equality takes "é" in either Unicode form for one.

extension String {
    /// The length first, which texts know: most keys that are compared differ there.
    package func isSameBytes(as other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        return utf8.withContiguousStorageIfAvailable { ours in
            other.utf8.withContiguousStorageIfAvailable { ours.elementsEqual($0) }
        }.flatMap { $0 } ?? utf8.elementsEqual(other.utf8)
    }
}
