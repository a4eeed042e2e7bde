// "10,2": bounds of the slots, as Celery's --autoscale takes them.
import Ports

extension SlotRange {
    /// In either order; one number alone is the most, and a least of 0 is 1.
    init(_ text: String, origin: String) throws(CommandFailure) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Int(String($0).trimmed) }
        guard numbers.count == parts.count, numbers.count <= 2, let most = numbers.max(), let least = numbers.min(),
            Self.bounds.contains(most), least >= 0
        else {
            throw .configuration(
                "\(origin): no bounds of slots: \"\(text)\"",
                fix: "write the most and the least, from 1 to \(Self.bounds.upperBound): 10,2")
        }
        self.init(least: numbers.count == 2 ? max(1, least) : 1, most: most)
    }
}
