// Bytes to a message, to the decoder, and through everything that is done with what it takes.
//
// Headers are made of JSON, since that is what a mutator finds its way in.
import CeleryWire
import TaskModel
import TaskhostJSON

let now = WallTime(microseconds: 1_795_435_200_000_000)
private let decoder = MessageDecoder()

extension Targets {
    /// A body; the first byte says whether there are headers.
    static func bodies(_ bytes: [UInt8]) {
        guard let first = bytes.first else { return }
        let rest = Array(bytes.dropFirst())
        decode(body: rest, headers: first % 2 == 0 ? ["task": .string("demo.add"), "id": .string("U1")] : [:])
        readJSON(rest)
    }

    /// A JSON array: [headers, body].
    static func headers(_ bytes: [UInt8]) {
        guard case .success(let parts) = Result(catching: { try JSON(parsing: bytes) }), let elements = parts.elements,
            elements.count == 2
        else { return }
        if case .table(let headers) = field(elements[0]) { decode(body: elements[1].bytes, headers: headers) }
    }
}

private func decode(body: [UInt8], headers: FieldTable) {
    var properties = MessageProperties()
    properties.contentType = "application/json"
    let wire = WireMessage(properties: properties, headers: headers, body: body)
    let delivery = Delivery(
        tag: DeliveryTag(link: 1, number: 1), queue: "q", exchange: "", routingKey: "q", redelivered: false,
        message: wire)
    do throws(WireError) {
        let message = try decoder.decode(delivery, now: now)
        let fields = ExtendedFields(worker: "w", queue: "q")
        let meta = ResultMeta.success(of: message, result: body, at: now, extended: fields)
        let again = Republication.retry(delivery, message, eta: now, retries: 1, now: now)
        precondition(isJSON(meta) && isJSON(message.body) && isJSON(HeadersJSON.bytes(again.headers)))
    } catch {
        precondition(!error.logLine.contains("\n"))
        let dead = Republication.deadLetter(
            delivery, nil, reason: error.detail, kind: .refused, report: nil, starts: 0, at: now)
        precondition(dead.queueBeforeDeath == "q")
    }
}

private func field(_ value: JSON) -> FieldValue {
    switch value {
    case .null: .null
    case .bool(let flag): .bool(flag)
    case .int(let number): .int(number)
    case .bigInteger(let digits): .bytes(Array(digits.utf8))
    case .double(let number): .double(number)
    case .string(let text), .surrogates(let text): .string(text)
    case .array(let elements): .array(elements.map(field))
    case .object(let members):
        .table(FieldTable(members.map { FieldTable.Field(key: $0.key, value: field($0.value)) }))
    }
}

/// Parser and scanner agree; what is written reads back.
private func readJSON(_ bytes: [UInt8]) {
    let isValid = isJSON(bytes, .wire)
    do throws(JSONError) {
        let value = try JSON(parsing: bytes)
        precondition(isValid && isJSON(value.bytes))
        _ = PythonRepr.repr(value)
    } catch {
        precondition(!isValid || error.reason == .loneSurrogate)
    }
    if let time = ISO8601.parse(String(decoding: bytes, as: UTF8.self)) { _ = ISO8601.format(time) }
}

func isJSON(_ bytes: [UInt8], _ limits: JSONLimits = .trusted) -> Bool {
    do throws(JSONError) {
        try JSONScan.validate(bytes, limits: limits)
        return true
    } catch {
        return false
    }
}
