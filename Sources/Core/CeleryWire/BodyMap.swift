// Protocol 1, and the hybrid of 1 and 2: everything, or the rest, is in the map that is the body
// (celery-protocol.md §1.10).
public import TaskModel
public import TaskhostJSON

extension TaskMessage {
    /// What the body may say; a header of the same name wins.
    private static let bodyFields = [
        "task", "id", "root_id", "parent_id", "group", "group_index", "shadow", "eta", "expires", "retries",
        "timelimit",
        "argsrepr", "kwargsrepr", "origin",
    ]

    mutating func takeBodyMap(
        _ body: [UInt8], headers: FieldTable, limits: WireLimits
    ) throws(WireError) {
        hasListBody = false
        let map: JSON
        do throws(JSONError) {
            map = try JSON(parsing: body, limits: limits.json)
        } catch {
            throw WireError(body: error)
        }
        let isHybrid = !name.isEmpty
        for key in Self.bodyFields where headers[key] == nil {
            if let value = map[key] { try take(key, FieldValue(value)) }
        }
        guard !name.isEmpty else { return }
        if isHybrid {
            guard map["args"] != nil || map["kwargs"] != nil else {
                throw WireError(.malformedBody, "the body is a map without 'args' and 'kwargs'")
            }
        } else {
            protocolVersion = 1
            if let taskset = map["taskset"]?.text { groupID = taskset }
            argsRepr = PythonRepr.repr(map["args"] ?? [])
            kwargsRepr = PythonRepr.repr(map["kwargs"] ?? .object([]))
        }
        takeParts(of: map)
        checkArguments()
    }

    private mutating func takeParts(of map: JSON) {
        func part(_ key: String, else empty: JSON) -> [UInt8] {
            let value = map[key] ?? empty
            return (value.isNull ? empty : value).bytes
        }
        let following = ["callbacks", "errbacks", "chord"].map { JSONMember(key: $0, value: map[$0] ?? nil) }
        hasContinuations = following.contains { member in
            switch member.value {
            case .null: false
            case .array(let elements): !elements.isEmpty
            case .object(let members): !members.isEmpty
            default: true
            }
        }
        setBody(
            args: part("args", else: []), kwargs: part("kwargs", else: .object([])),
            embed: JSON.object(following + [JSONMember(key: "chain", value: nil)]).bytes)
    }
}

extension FieldValue {
    /// The same value as a header would carry it; integers beyond 64 bits become texts, halves of surrogate pairs stay
    /// escaped.
    public init(_ json: JSON) {
        switch json {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(value)
        case .bigInteger(let digits): self = .string(digits)
        case .double(let value): self = .double(value)
        case .string(let value), .surrogates(let value): self = .string(value)
        case .array(let elements): self = .array(elements.map(FieldValue.init))
        case .object(let members):
            self = .table(FieldTable(members.map { FieldTable.Field(key: $0.key, value: FieldValue($0.value)) }))
        }
    }
}

extension JSON {
    /// The plain form; what JSON has none for is null.
    public init(_ value: FieldValue) {
        self =
            switch value {
            case .bool(let flag): .bool(flag)
            case .int(let number): .int(number)
            case .double(let number): .double(number)
            case .array(let elements): .array(elements.map { JSON($0) })
            case .table(let table): .object(table.fields.map { JSONMember(key: $0.key, value: JSON($0.value)) })
            case .null, .string, .bytes, .timestamp: value.text.map { .string($0) } ?? .null
            }
    }
}
