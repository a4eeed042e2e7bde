// A regression tree of fixed depth: what forests and boosting are made of. Un árbol de regresión.

struct Tree {
    static let depth = 3
    static let inner = (1 << depth) - 1
    /// For each inner node its axis (0: x, 1: y) and threshold, level by level; then the leaves' values.
    static let numbers = 2 * inner + inner + 1

    /// Splits where the squares of the deviations become smallest. Divide donde la desviación queda menor.
    static func fit(_ samples: [Sample], _ targets: [Double]) -> [Double] {
        var tree = [Double](repeating: 0, count: numbers)
        fill(&tree, 0, samples, targets, Array(samples.indices))
        return tree
    }

    static func value(_ tree: ArraySlice<Double>, _ sample: Sample) -> Double {
        var node = 0
        while node < inner {
            let (axis, threshold) = (tree[tree.startIndex + 2 * node], tree[tree.startIndex + 2 * node + 1])
            node = 2 * node + ((axis == 0 ? sample.x : sample.y) < threshold ? 1 : 2)
        }
        return tree[tree.startIndex + 2 * inner + node - inner]
    }

    private static func fill(
        _ tree: inout [Double], _ node: Int, _ samples: [Sample], _ targets: [Double], _ part: [Int]
    ) {
        guard node < inner else {
            tree[2 * inner + node - inner] = part.isEmpty ? 0 : part.reduce(0) { $0 + targets[$1] } / Double(part.count)
            return
        }
        let (axis, threshold) = best(samples, targets, part)
        tree[2 * node] = axis
        tree[2 * node + 1] = threshold
        let isLeft = { (index: Int) in (axis == 0 ? samples[index].x : samples[index].y) < threshold }
        fill(&tree, 2 * node + 1, samples, targets, part.filter(isLeft))
        fill(&tree, 2 * node + 2, samples, targets, part.filter { !isLeft($0) })
    }

    private static func best(_ samples: [Sample], _ targets: [Double], _ part: [Int]) -> (Double, Double) {
        var best = (axis: 0.0, threshold: 0.0, gain: -Double.infinity)
        let total = part.reduce(0) { $0 + targets[$1] }
        for axis in [0.0, 1.0] {
            let place = { (index: Int) in axis == 0 ? samples[index].x : samples[index].y }
            let ordered = part.sorted { place($0) < place($1) }
            var left = 0.0
            for count in 1..<max(1, ordered.count) {
                left += targets[ordered[count - 1]]
                let right = total - left
                let gain = left * left / Double(count) + right * right / Double(ordered.count - count)
                if gain > best.gain { best = (axis, (place(ordered[count - 1]) + place(ordered[count])) / 2, gain) }
            }
        }
        return (best.axis, best.threshold)
    }
}
