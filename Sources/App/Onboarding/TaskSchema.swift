// `taskhost bundles --json-schema`: what each task's keyword arguments must be, as JSON Schema, 2020-12.
package import TaskModel
package import TaskhostJSON

package enum TaskSchema {
    /// Each task is a definition by its name; what JSON Schema has no word for begins with `x-`.
    package static func document(_ bundles: [BundleManifest]) -> JSON {
        let tasks = bundles.flatMap(\.tasks).sorted { $0.name < $1.name }
        return .object([
            JSONMember(key: "$schema", value: .string("https://json-schema.org/draft/2020-12/schema")),
            JSONMember(key: "$defs", value: .object(tasks.map { JSONMember(key: $0.name, value: schema($0)) })),
        ])
    }

    private static func schema(_ task: TaskManifest) -> JSON {
        let plain = task.parameters.filter { !$0.takesRest }
        var members = [JSONMember(key: "title", value: .string(task.name))]
        if let doc = task.options.doc { members.append(JSONMember(key: "description", value: .string(doc))) }
        members += [
            JSONMember(key: "type", value: .string("object")),
            JSONMember(
                key: "properties", value: .object(plain.map { JSONMember(key: $0.name, value: schema($0)) })),
            JSONMember(key: "required", value: .array(plain.filter(\.isRequired).map { .string($0.name) })),
            JSONMember(
                key: "additionalProperties", value: .bool(task.parameters.contains { $0.name.hasPrefix("**") })),
            JSONMember(key: "x-positional", value: .array(plain.map { .string($0.name) })),
        ]
        if let result = task.result { members.append(JSONMember(key: "x-result", value: schema(StubType(result)))) }
        if let queue = task.options.queue { members.append(JSONMember(key: "x-queue", value: .string(queue))) }
        return .object(members)
    }

    private static func schema(_ parameter: TaskManifest.Parameter) -> JSON {
        var members = schema(StubType(parameter.type), of: parameter.type).members ?? []
        if let value = parameter.defaultValue { members.append(JSONMember(key: "default", value: value)) }
        return .object(members)
    }

    /// What C's integers can hold.
    private static let ranges: [String: (low: Int64, high: Int64)] = [
        "i8": (-128, 127), "i16": (-32768, 32767), "i32": (-2_147_483_648, 2_147_483_647), "u8": (0, 255),
        "u16": (0, 65535), "u32": (0, 4_294_967_295),
    ]

    private static func schema(_ type: StubType, of name: String = "") -> JSON {
        func one(_ word: String, _ more: [JSONMember] = []) -> JSON {
            .object([JSONMember(key: "type", value: .string(word))] + more)
        }
        switch type {
        case .integer:
            guard let range = ranges[name] else { return one("integer") }
            return one(
                "integer",
                [
                    JSONMember(key: "minimum", value: .int(range.low)),
                    JSONMember(key: "maximum", value: .int(range.high)),
                ])
        case .number: return one("number")
        case .boolean: return one("boolean")
        case .text: return one("string")
        case .void: return one("null")
        case .list(let inner): return one("array", [JSONMember(key: "items", value: schema(inner))])
        case .map(let inner): return one("object", [JSONMember(key: "additionalProperties", value: schema(inner))])
        case .optional(let inner):
            return .object([JSONMember(key: "anyOf", value: .array([schema(inner), one("null")]))])
        case .bytes, .any: return .object([])
        }
    }
}
