// Arithmetic on numbers from the wire, which may have any value.
import TaskhostJSON

extension Int64 {
    /// The largest or smallest number where there is no larger or smaller one.
    func addingSaturated(_ other: Int64) -> Int64 {
        let (sum, overflows) = addingReportingOverflow(other)
        guard overflows else { return sum }
        return other > 0 ? .max : .min
    }

    func subtractingSaturated(_ other: Int64) -> Int64 {
        let (difference, overflows) = subtractingReportingOverflow(other)
        guard overflows else { return difference }
        return other < 0 ? .max : .min
    }
}

extension Sequence<Int64> {
    var saturatedSum: Int64 { reduce(0) { $0.addingSaturated($1) } }
}
