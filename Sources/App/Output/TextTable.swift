// Columns for people: cells without control characters, as wide as the widest of their column.

package enum TextTable {
    /// - Parameter rows: of equally many cells, the headings first.
    package static func lines(_ rows: [[String]]) -> [String] {
        let columns = rows.first?.count ?? 0
        let rows = rows.map { $0.map(Printable.line) }
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).map { $0.padded(to: $1) }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }
}

extension String {
    /// With spaces behind it, as wide as `columns`; a wider one stays as it is.
    package func padded(to columns: Int) -> String {
        self + String(repeating: " ", count: max(0, columns - count))
    }
}
