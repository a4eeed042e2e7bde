// Codable values to JSON and back, in Kombu's dialect: NaN and infinities are numbers, dates and bytes are typed maps.
import FoundationEssentials
import TaskhostJSON

enum ValueCoding {
    static func json(_ value: any Encodable) throws(ClientError) -> JSON {
        if let json = value as? JSON { return json }
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: Marker.infinity, negativeInfinity: Marker.negativeInfinity, nan: Marker.nan)
        encoder.dateEncodingStrategy = .custom { date, encoder in
            try TypedMap(type: "datetime", value: date.celeryText).encode(to: encoder)
        }
        encoder.dataEncodingStrategy = .custom { data, encoder in
            try TypedMap(type: "base64", value: data.base64EncodedString()).encode(to: encoder)
        }
        do {
            return Marker.numbers(try JSON(parsing: Array(try encoder.encode(value)), limits: .trusted))
        } catch {
            throw .argument("\(type(of: value)) cannot be sent as JSON: \(error)")
        }
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from json: JSON) throws(ClientError) -> Value {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: Marker.infinity, negativeInfinity: Marker.negativeInfinity, nan: Marker.nan)
        decoder.dateDecodingStrategy = .custom { decoder in
            let text = try TypedMap.text(decoder, of: ["datetime", "date"])
            if let date = Date(celeryText: text) { return date }
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\"\(text)\" is no ISO 8601 time"))
        }
        decoder.dataDecodingStrategy = .custom { decoder in
            let text = try TypedMap.text(decoder, of: ["base64"])
            if let data = Data(base64Encoded: text) { return data }
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "the base64 is broken"))
        }
        var text: [UInt8] = []
        Marker.texts(json).write(into: &text)
        do {
            return try decoder.decode(type, from: Data(text))
        } catch {
            throw .unexpectedResult("the result is no \(type): \(error)")
        }
    }
}

/// Numbers that Foundation's coders do not know, as reserved texts.
private enum Marker {
    static let nan = "@taskhost-nan@"
    static let infinity = "@taskhost-inf@"
    static let negativeInfinity = "@taskhost-neginf@"

    static func numbers(_ json: JSON) -> JSON {
        switch json {
        case .string(nan): .double(.nan)
        case .string(infinity): .double(.infinity)
        case .string(negativeInfinity): .double(-.infinity)
        case .array(let elements): .array(elements.map(numbers))
        case .object(let members): .object(members.map { JSONMember(key: $0.key, value: numbers($0.value)) })
        default: json
        }
    }

    static func texts(_ json: JSON) -> JSON {
        switch json {
        case .double(let value) where value.isNaN: .string(nan)
        case .double(let value) where value.isInfinite: .string(value > 0 ? infinity : negativeInfinity)
        case .array(let elements): .array(elements.map(texts))
        case .object(let members): .object(members.map { JSONMember(key: $0.key, value: texts($0.value)) })
        default: json
        }
    }
}

/// `{"__type__": …, "__value__": …}`.
private struct TypedMap: Codable {
    var type: String
    var value: String

    enum CodingKeys: String, CodingKey {
        case type = "__type__"
        case value = "__value__"
    }

    /// The text of such a map, or a bare text.
    static func text(_ decoder: any Decoder, of types: Set<String>) throws -> String {
        if let text = bareText(decoder) { return text }
        let map = try TypedMap(from: decoder)
        guard types.contains(map.type) else {
            throw DecodingError.typeMismatch(
                String.self, .init(codingPath: decoder.codingPath, debugDescription: "it is a \(map.type)"))
        }
        return map.value
    }

    private static func bareText(_ decoder: any Decoder) -> String? {
        do {
            return try decoder.singleValueContainer().decode(String.self)
        } catch {
            return nil
        }
    }
}
