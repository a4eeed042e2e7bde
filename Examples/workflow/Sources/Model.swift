// Five ways to tell one label from the other, each as a list of numbers that a file can keep. Cinco modelos.
import Glibc
import TaskhostSDK

/// A model that is trained in rounds: `improve` is one of them. Un modelo que se entrena por rondas.
struct Model {
    enum Kind: String {
        case linear, svm, rf, xgboost
        case neuralNet = "neural_net"
    }

    static let rounds = 20
    private static let hidden = 8

    let kind: Kind
    private(set) var numbers: [Double]
    private var dice = Dice()

    init(_ kind: Kind) {
        self.kind = kind
        var dice = Dice()
        switch kind {
        case .linear: numbers = [0, 0, 0]
        case .svm: numbers = [Double](repeating: 0, count: 6)
        case .rf, .xgboost: numbers = []
        case .neuralNet: numbers = (0..<(4 * Self.hidden + 1)).map { _ in Double.random(in: -1...1, using: &dice) }
        }
    }

    /// As it was kept. Como se guardó.
    init(_ kind: Kind, numbers: [Double]) {
        self.kind = kind
        self.numbers = numbers
    }

    /// Above zero: label 1. Mayor que cero: etiqueta 1.
    func score(_ sample: Sample) -> Double {
        switch kind {
        case .linear, .svm: zip(numbers, features(sample)).reduce(0) { $0 + $1.0 * $1.1 }
        case .rf, .xgboost:
            stride(from: 0, to: numbers.count, by: Tree.numbers).reduce(0) {
                $0 + Tree.value(numbers[$1..<$1 + Tree.numbers], sample)
            }
        case .neuralNet: layers(sample).score
        }
    }

    mutating func improve(_ samples: [Sample], round: Int) {
        switch kind {
        case .linear: descend(samples) { score, label in label / (1 + exp(label * score)) * 0.1 }
        case .svm: descend(samples) { score, label in label * score < 1 ? label / Double(round + 1) : 0 }
        case .rf:
            let drawn = samples.map { _ in samples.randomElement(using: &dice) ?? samples[0] }
            numbers += Tree.fit(drawn, drawn.map(\.label))
        case .xgboost: numbers += Tree.fit(samples, samples.map { 0.5 * $0.label / (1 + exp($0.label * score($0))) })
        case .neuralNet: for _ in 0..<5 { descendLayers(samples) }
        }
    }

    func accuracy(_ samples: [Sample]) -> Double {
        Double(samples.count { (score($0) > 0) == ($0.label > 0) }) / Double(samples.count)
    }

    /// A straight line; the support vector machine has the squares besides. La SVM usa también los cuadrados.
    private func features(_ sample: Sample) -> [Double] {
        let line = [1, sample.x, sample.y]
        return kind == .svm ? line + [sample.x * sample.x, sample.y * sample.y, sample.x * sample.y] : line
    }

    private mutating func descend(_ samples: [Sample], _ step: (Double, Double) -> Double) {
        for sample in samples.shuffled(using: &dice) {
            let size = step(score(sample), sample.label)
            for (place, feature) in features(sample).enumerated() { numbers[place] += size * feature }
        }
    }

    private func layers(_ sample: Sample) -> (hidden: [Double], score: Double) {
        let hidden = (0..<Self.hidden).map { unit in
            tanh(numbers[3 * unit] + numbers[3 * unit + 1] * sample.x + numbers[3 * unit + 2] * sample.y)
        }
        let out = numbers[(3 * Self.hidden)...]
        return (hidden, zip(out.dropFirst(), hidden).reduce(out.first ?? 0) { $0 + $1.0 * $1.1 })
    }

    private mutating func descendLayers(_ samples: [Sample]) {
        let out = 3 * Self.hidden
        for sample in samples.shuffled(using: &dice) {
            let (hidden, score) = layers(sample)
            let push = 0.1 * sample.label / (1 + exp(sample.label * score))
            numbers[out] += push
            for unit in 0..<Self.hidden {
                let back = push * numbers[out + 1 + unit] * (1 - hidden[unit] * hidden[unit])
                numbers[out + 1 + unit] += push * hidden[unit]
                numbers[3 * unit] += back
                numbers[3 * unit + 1] += back * sample.x
                numbers[3 * unit + 2] += back * sample.y
            }
        }
    }
}
