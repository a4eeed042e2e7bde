// One step of `images.process`, as clients write it: {"operation": "blur", "sigma": 3}.

import TaskhostSDK

enum Operation: Sendable {
    /// Standard deviation in pixels, 0.1…100.
    case blur(sigma: Double)
    /// Clockwise.
    case rotate(degrees: Double)
    /// 1…20,000 pixels each; without a height the picture keeps its shape.
    case resize(width: Int, height: Int?)
    /// The largest of the same shape within these.
    case thumbnail(width: Int, height: Int)
    case enhance(Enhancement)

    struct Enhancement: Sendable {
        var sharpness = 1.0
        var contrast = 1.0
        var brightness = 1.0
        var saturation = 1.0
    }

    var name: String {
        switch self {
        case .blur: "blur"
        case .rotate: "rotate"
        case .resize: "resize"
        case .thumbnail: "thumbnail"
        case .enhance: "enhance"
        }
    }

    /// Throws ValueError for numbers out of range.
    func checked() throws -> Operation {
        switch self {
        case .blur(let sigma): try check("sigma", sigma, 0.1...100)
        case .rotate(let degrees): try check("degrees", degrees, -3600...3600)
        case .resize(let width, let height):
            try check("width", Double(width), 1...20_000)
            try check("height", Double(height ?? 1), 1...20_000)
        case .thumbnail(let width, let height):
            try check("width", Double(width), 1...20_000)
            try check("height", Double(height), 1...20_000)
        case .enhance(let factors):
            try check("sharpness", factors.sharpness, 0...100)
            try check("contrast", factors.contrast, 0...100)
            try check("brightness", factors.brightness, 0...100)
            try check("saturation", factors.saturation, 0...100)
        }
        return self
    }

    private func check(_ what: String, _ value: Double, _ range: ClosedRange<Double>) throws {
        guard range.contains(value) else {
            throw TaskError(
                type: "ValueError",
                "\(name): \(what) must be from \(range.lowerBound) to \(range.upperBound), not \(value)")
        }
    }
}

extension Operation: Codable {
    private enum Key: String, CodingKey {
        case operation, sigma, degrees, width, height, sharpness, contrast, brightness, saturation
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        func factor(_ key: Key) throws -> Double { try fields.decodeIfPresent(Double.self, forKey: key) ?? 1 }
        switch try fields.decode(String.self, forKey: .operation) {
        case "blur": self = .blur(sigma: try fields.decodeIfPresent(Double.self, forKey: .sigma) ?? 2)
        case "rotate": self = .rotate(degrees: try fields.decode(Double.self, forKey: .degrees))
        case "resize":
            self = .resize(
                width: try fields.decode(Int.self, forKey: .width),
                height: try fields.decodeIfPresent(Int.self, forKey: .height))
        case "thumbnail":
            let width = try fields.decode(Int.self, forKey: .width)
            self = .thumbnail(
                width: width, height: try fields.decodeIfPresent(Int.self, forKey: .height) ?? width)
        case "enhance":
            self = .enhance(
                Enhancement(
                    sharpness: try factor(.sharpness), contrast: try factor(.contrast),
                    brightness: try factor(.brightness), saturation: try factor(.saturation)))
        case let other:
            throw TaskError(
                type: "ValueError",
                "no operation '\(other)': there are blur, rotate, resize, thumbnail and enhance")
        }
    }

    func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(name, forKey: .operation)
        switch self {
        case .blur(let sigma): try fields.encode(sigma, forKey: .sigma)
        case .rotate(let degrees): try fields.encode(degrees, forKey: .degrees)
        case .resize(let width, let height):
            try fields.encode(width, forKey: .width)
            try fields.encodeIfPresent(height, forKey: .height)
        case .thumbnail(let width, let height):
            try fields.encode(width, forKey: .width)
            try fields.encode(height, forKey: .height)
        case .enhance(let factors):
            try fields.encode(factors.sharpness, forKey: .sharpness)
            try fields.encode(factors.contrast, forKey: .contrast)
            try fields.encode(factors.brightness, forKey: .brightness)
            try fields.encode(factors.saturation, forKey: .saturation)
        }
    }
}
