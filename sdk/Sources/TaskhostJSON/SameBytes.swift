// Whether two texts are the same bytes. Swift's own equality takes "é" in either Unicode form for one.

extension String {
    /// The length first, which texts know: most keys that are compared differ there.
    @inline(__always)
    package func isSameBytes(as other: String) -> Bool {
        utf8.count == other.utf8.count && hasEqualBytes(other)
    }

    private func hasEqualBytes(_ other: String) -> Bool {
        let answer = utf8.withContiguousStorageIfAvailable { own in
            other.utf8.withContiguousStorageIfAvailable { others in
                var index = 0
                while index < own.count {
                    if own[index] != others[index] { return false }
                    index += 1
                }
                return true
            }
        }
        return (answer ?? nil) ?? utf8.elementsEqual(other.utf8)
    }
}
