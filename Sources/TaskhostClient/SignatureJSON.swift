// Signatures as Celery writes them (celery-wire.md §1.5).
import TaskhostJSON

extension Step {
    func json() throws(ClientError) -> JSON {
        switch self {
        case .one(let signature): try signature.json()
        case .many(let group): try group.json()
        }
    }

    static func list(_ steps: [Step]) throws(ClientError) -> JSON {
        var list: [JSON] = []
        for step in steps { list.append(try step.json()) }
        return .array(list)
    }
}

extension Signature {
    func json() throws(ClientError) -> JSON {
        var options = options.members
        if !links.isEmpty { options.append(JSONMember(key: "link", value: try Step.list(links))) }
        if !errorLinks.isEmpty { options.append(JSONMember(key: "link_error", value: try Step.list(errorLinks))) }
        switch form {
        case .call(let name, let call):
            guard let members = try ValueCoding.json(call).members else {
                throw .argument("\(type(of: call)) has no properties that could be arguments")
            }
            return .signature(
                name, nil, kwargs: members.sorted { $0.key < $1.key }, options: options, isImmutable: isImmutable)
        case .task(let name, let args, let kwargs):
            var list: [JSON] = []
            for argument in args { list.append(try ValueCoding.json(argument)) }
            var members: [JSONMember] = []
            for (key, value) in kwargs.sorted(by: { $0.key < $1.key }) {
                members.append(JSONMember(key: key, value: try ValueCoding.json(value)))
            }
            return .signature(name, nil, args: list, kwargs: members, options: options, isImmutable: isImmutable)
        case .chain(let steps):
            let tasks = JSONMember(key: "tasks", value: try Step.list(steps))
            return .signature("celery.chain", "chain", kwargs: [tasks], options: options, isImmutable: isImmutable)
        case .chord(let header, let body):
            let parts = [
                JSONMember(key: "header", value: try Step.list(header)),
                JSONMember(key: "body", value: try body.json()),
                JSONMember(key: "kwargs", value: .object([])),
            ]
            return .signature("celery.chord", "chord", kwargs: parts, options: options, isImmutable: isImmutable)
        }
    }
}

extension Group {
    func json() throws(ClientError) -> JSON {
        let tasks = JSONMember(key: "tasks", value: try Step.list(members))
        let own = JSON.signature("celery.group", "group", kwargs: [tasks], options: options.members)
        if lead.isEmpty { return own }
        guard case .array(let before) = try Step.list(lead) else { return own }
        let steps = JSONMember(key: "tasks", value: .array(before + [own]))
        return .signature("celery.chain", "chain", kwargs: [steps], options: [])
    }
}

extension JSON {
    fileprivate static func signature(
        _ task: String, _ type: String?, args: [JSON] = [], kwargs: [JSONMember], options: [JSONMember],
        isImmutable: Bool = false
    ) -> JSON {
        .object([
            JSONMember(key: "task", value: .string(task)), JSONMember(key: "args", value: .array(args)),
            JSONMember(key: "kwargs", value: .object(kwargs)), JSONMember(key: "options", value: .object(options)),
            JSONMember(key: "subtask_type", value: type.map(JSON.string) ?? .null),
            JSONMember(key: "immutable", value: .bool(isImmutable)),
        ])
    }
}
