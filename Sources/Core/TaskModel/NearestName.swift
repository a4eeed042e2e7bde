/// Finds the known word a misspelt one probably meant.
public enum NearestName {
    /// nil when nothing is close (more than a third of the letters differ).
    public static func of(_ word: String, among known: [String]) -> String? {
        let scored = known.map { (name: $0, distance: distance(word, $0)) }
        guard let best = scored.min(by: { ($0.distance, $0.name) < ($1.distance, $1.name) }) else { return nil }
        return best.distance <= max(1, max(word.count, best.name.count) / 3) ? best.name : nil
    }

    /// Of tasks, whose names people also give without the module before them.
    public static func ofTask(_ name: String, among known: [String]) -> String? {
        of(name, among: known) ?? known.first { $0.hasSuffix(".\(name)") }
    }

    /// Insertions, removals, replacements and swaps of neighbours that turn one into the other.
    public static func distance(_ left: String, _ right: String) -> Int {
        let a = Array(left.lowercased())
        let b = Array(right.lowercased())
        var rows = [Array(0...b.count)]
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var cost = min(rows[i][j] + (a[i] == b[j] ? 0 : 1), rows[i][j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, rows[i - 1][j - 1] + 1) }
                row.append(cost)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
