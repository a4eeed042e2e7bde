// What we publish for a signature against what a stock Celery publishes for it (Fixtures/capture.py).
import CeleryWire
import Foundation
import TaskModel
import TaskhostJSON
import Testing

@testable import Canvas

@Suite("Signatures, applied as Celery applies them")
struct AppliedTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let json: JSON
        var testDescription: String { json["name"]?.text ?? "?" }
    }

    static let cases: [Case] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/applied.json")
        do {
            let bytes = [UInt8](try Data(contentsOf: file))
            return (try JSON(parsing: bytes, limits: .trusted).elements ?? []).map(Case.init)
        } catch {
            Issue.record("the fixtures cannot be read: \(error)")
            return []
        }
    }()

    private func context() -> CanvasContext {
        CanvasContext(
            parentID: "current", rootID: "root", replyTo: "us", origin: "gen1@test",
            now: WallTime(microseconds: 1_800_000_000_000_000), makeID: TaskCall.newID)
    }

    @Test("the same messages in the same order, and the same children", arguments: cases)
    func sameMessages(_ captured: Case) throws {
        let json = captured.json
        var canvas = Canvas(context())
        if let signature = json["signature"] {
            try canvas.apply(
                try SignatureTree(signature), args: [100], options: ["parent_id": "current", "root_id": "root"])
        } else {
            var following = Continuations.none
            following.chain = json["chain"]?.elements ?? []
            following.callbacks = json["callbacks"]?.elements ?? []
            following.errbacks = json["errbacks"]?.elements ?? []
            if let replacement = json["replacement"] {
                var message = TaskMessage(id: "current", name: "demo.current")
                message.rootID = "root"
                try canvas.replace(message, following, by: try SignatureTree(replacement))
            } else {
                try canvas.succeed(following, with: 100)
            }
        }
        let sent: [JSON] = try canvas.effects.compactMap { effect in
            guard case .publish(let call) = effect else { return nil }
            let table = call.message.headers
            let names = ["task", "id", "group", "group_index", "root_id", "parent_id", "replaced_task_nesting"]
            let headers = JSON.object(names.map { JSONMember(key: $0, value: header(table[$0])) })
            return ["headers": headers, "body": try JSON(parsing: call.message.body, limits: .trusted)]
        }
        let ours = Comparable(["messages": .array(sent), "children": .array(canvas.children)])
        let theirs = Comparable(["messages": json["messages"] ?? nil, "children": json["children"] ?? nil])
        if ours.lines != theirs.lines {
            for (our, their) in zip(ours.lines, theirs.lines) where our != their {
                Issue.record("\(captured.testDescription)\nours   \(our)\ntheirs \(their)")
                return
            }
        }
        #expect(ours.lines.count == theirs.lines.count)
    }

    private func header(_ value: FieldValue?) -> JSON {
        switch value {
        case .int(let number)?: .int(number)
        case .string(let text)?: .string(text)
        default: nil
        }
    }

    @Test("a chord is announced once, with its size, before the first message of its header")
    func announcement() throws {
        var canvas = Canvas(context())
        let chord = SignatureTree.chord(
            [SignatureTree("a"), .chain([SignatureTree("b"), .group([SignatureTree("c"), SignatureTree("d")])])],
            body: SignatureTree("e"))
        try canvas.apply(chord)
        let kinds = canvas.effects.map { effect in
            switch effect {
            case .publish(let call): call.taskName
            case .announce(let chord): "announce \(chord.size) \(chord.savedGroup != nil)"
            }
        }
        #expect(kinds == ["announce 3 true", "a", "b"])
    }

    @Test("a chord whose parts cannot be counted gets a task that looks at its results, where its body goes")
    func unlocking() throws {
        var canvas = Canvas(context())
        let body = SignatureTree("e", options: ["queue": "elsewhere", "priority": 3])
        try canvas.apply(SignatureTree.chord([SignatureTree("a"), SignatureTree("b")], body: body))
        let calls = canvas.effectsWithoutCounting.compactMap { effect in
            if case .publish(let call) = effect { call } else { nil }
        }
        #expect(calls.count == 3)
        let call = try #require(calls.first { $0.message.headers["task"] == .string("celery.chord_unlock") })
        #expect(call.target == .queue("elsewhere") && call.dueInSeconds == 1)
        #expect(call.message.properties.priority == 3)
        #expect(call.message.headers["ignore_result"] == .bool(true))
        let parts = try JSON(parsing: call.message.body, limits: .trusted).elements ?? []
        #expect(parts.first?.elements?.last?["task"]?.text == "e")
        #expect(parts.dropFirst().first?["result"]?.elements?.count == 2)
    }
}

/// JSON in a form that differs only where it matters: no nulls, members in order, ids by first appearance.
private struct Comparable {
    /// One per message, one for the children.
    var lines: [String] = []
    private var labels: [String: String] = [:]

    init(_ json: JSON) {
        for message in json["messages"]?.elements ?? [] { lines.append(text(message)) }
        lines.append(text(json["children"] ?? nil))
    }

    private static let immaterial: Set<String> = ["reply_to", "add_to_parent", "chord_size"]

    private mutating func text(_ json: JSON) -> String { String(decoding: normal(json).bytes, as: UTF8.self) }

    private mutating func normal(_ json: JSON) -> JSON {
        switch json {
        case .array(let elements): return .array(elements.map { normal($0) })
        case .object(let members):
            let kept = members.filter { !$0.value.isNull && !Self.immaterial.contains($0.key) }
            return .object(
                kept.sorted { $0.key < $1.key }.map { member in
                    // Every task of a workflow has the same root, told again when it is published.
                    let isOptions = member.key == "options"
                    let value =
                        isOptions ? .object((member.value.members ?? []).filter { $0.key != "root_id" }) : member.value
                    return JSONMember(key: member.key, value: normal(value))
                })
        case .string(let text) where text.utf8.count == 36 && text.utf8.filter { $0 == UInt8(ascii: "-") }.count == 4:
            let label = labels[text] ?? "U\(labels.count + 1)"
            labels[text] = label
            return .string(label)
        default: return json
        }
    }
}
