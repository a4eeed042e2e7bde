// "10,2": bounds of the slots, as Celery's --autoscale takes them.
import Output
import Ports
import Settings

extension SlotRange {
    /// In either order; one number alone is the maximum, and a minimum of 0 is 1.
    init(_ text: String, origin: String) throws(CommandFailure) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Int(String($0).trimmed) }
        guard numbers.count == parts.count, numbers.count <= 2, let max = numbers.max(), let min = numbers.min(),
            Self.bounds.contains(max), min >= 0
        else {
            throw .configuration(
                "\(origin): no bounds of slots: \"\(text)\"",
                fix: "write the maximum and the minimum, from 1 to \(Self.bounds.upperBound): 10,2")
        }
        self.init(min: numbers.count == 2 ? Swift.max(1, min) : 1, max: max)
    }
}
