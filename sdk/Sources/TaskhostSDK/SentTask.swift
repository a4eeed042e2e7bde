// What a task knows of the tasks it has sent: their ids, made here so that it need not wait for the host.

/// A task, chain, group or chord on its way. Encodes as Celery writes a result that is itself a result, so that a
/// task may return it: of what clients get, Celery's `result_from_tuple` makes a result to wait for.
public struct SentTask: Sendable, Equatable, Encodable {
    /// Of the task, of a chain's last task, of a group, or of a chord's body.
    public let id: String
    /// `[[id, parent], null]`, or `[[id, parent], [members…]]` of a group.
    public let json: JSON

    public func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }
}

/// Gives every task of a signature its id, as the host would.
struct Freezer {
    let newID: () -> String

    /// The signature with ids, and what it will be known as. `id`: for the one that gives the result.
    func freeze(_ signature: Signature, parent: JSON = .null) -> (Signature, SentTask) {
        switch signature.kind {
        case "chain": chain(signature, parent)
        case "group": group(signature, parent)
        case "chord": chord(signature, parent)
        default: plain(signature, parent)
        }
    }

    private func identified(_ signature: Signature) -> (Signature, String) {
        if let id = signature.options["task_id"]?.text { return (signature, id) }
        let id = newID()
        return (signature.option("task_id", .string(id)), id)
    }

    private func plain(_ signature: Signature, _ parent: JSON) -> (Signature, SentTask) {
        let (signature, id) = identified(signature)
        return (signature, SentTask(id: id, json: [[.string(id), parent], nil]))
    }

    private func group(_ signature: Signature, _ parent: JSON) -> (Signature, SentTask) {
        var (signature, id) = identified(signature)
        var members: [JSON] = []
        signature.rewriteMembers {
            let (member, sent) = freeze($0)
            members.append(sent.json)
            return member
        }
        return (signature, SentTask(id: id, json: [[.string(id), parent], .array(members)]))
    }

    /// Each step is the parent of the next. A chain in a chain is part of it.
    private func chain(_ signature: Signature, _ parent: JSON) -> (Signature, SentTask) {
        var signature = signature
        var last = SentTask(id: "", json: parent)
        let wanted = signature.options["task_id"]
        let count = signature.tasks.count
        var index = 0
        signature.rewriteMembers { step in
            index += 1
            let named = index == count ? wanted.map { step.option("task_id", $0) } ?? step : step
            let (step, sent) = freeze(named, parent: last.json)
            last = sent
            return step
        }
        if count > 0 { signature = signature.option("task_id", .string(last.id)) }
        return (signature, last)
    }

    private func chord(_ signature: Signature, _ parent: JSON) -> (Signature, SentTask) {
        var body = Signature(unchecked: signature.keywords["body"] ?? .object([]))
        if let id = signature.options["task_id"] { body = body.option("task_id", id) }
        let header = Signature.group(signature.tasks)
        let given = signature.keywords["header"]?["options"]?["task_id"]
        let (frozenHeader, sentHeader) = freeze(given.map { header.option("task_id", $0) } ?? header, parent: parent)
        let (frozenBody, sentBody) = freeze(body, parent: sentHeader.json)
        var frozen = signature.option("task_id", .string(sentBody.id))
        frozen.keywords = frozen.keywords
            .setting("header", to: frozenHeader.json).setting("body", to: frozenBody.json)
        return (frozen, sentBody)
    }
}
