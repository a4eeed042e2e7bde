// Tasks every worker has, without any bundle (celery-protocol.md §4.11).
import Canvas
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

enum Builtin: String {
    case accumulate = "celery.accumulate"
    /// Stores forget by themselves here.
    case backendCleanup = "celery.backend_cleanup"
    case chordUnlock = "celery.chord_unlock"
    case map = "celery.map"
    case starmap = "celery.starmap"
    case chunks = "celery.chunks"
    case chain = "celery.chain"
    case group = "celery.group"
    case chord = "celery.chord"

    /// The builtin that a message calls by positional arguments, keywords, or both.
    struct Call {
        let args: [JSON]
        let kwargs: JSONMap

        init(_ message: TaskMessage) {
            args = JSON(trusting: Array(message.body[message.argsRange])).elements ?? []
            kwargs = JSONMap(JSON(trusting: Array(message.body[message.kwargsRange])).members ?? [])
        }

        func parameter(_ index: Int, _ name: String) -> JSON? {
            if index < args.count { return args[index] }
            return kwargs.given(name)
        }

        /// The same; null is as good as nothing.
        func given(_ index: Int, _ name: String) -> JSON? { parameter(index, name).flatMap { $0.isNull ? nil : $0 } }

        func list(_ index: Int, _ name: String) throws(CanvasError) -> [JSON] {
            guard let list = parameter(index, name)?.elements else { throw CanvasError("'\(name)' must be a list") }
            return list
        }
    }
}

/// One task called with one item after the other, each in a child like any start (`celery.map`).
struct Mapping {
    let task: String
    /// JSON lists of positional arguments, the next one last.
    var waiting: [JSON]
    var results: [JSON] = []

    /// `[args, kwargs, embed]` of the next call.
    var body: [UInt8] { JSON.array([waiting.last ?? [], .object([]), .object([])]).bytes }
}

extension EngineCore {
    /// A builtin ends at once, or becomes a series of calls: then it is to be dispatched.
    mutating func mayDispatch(_ item: InFlight, _ actions: inout [EngineAction]) -> Bool {
        guard let builtin = item.builtin, item.mapping == nil else { return true }
        let call = Builtin.Call(item.message)
        do throws(CanvasError) {
            switch builtin {
            case .map, .starmap: return try beginMapping(item, builtin, call, &actions)
            case .accumulate: try endBuiltin(item, Self.accumulated(call), &actions)
            case .backendCleanup: try endBuiltin(item, nil, &actions)
            case .chordUnlock: try beginUnlock(item, call, &actions)
            case .chunks, .group, .chord: try publishBuiltin(item, builtin, call, &actions)
            case .chain:
                let failure = TaskFailure(
                    type: "NotImplementedError", module: "builtins",
                    arguments: JSON.array(["chain is not a real task"]).bytes)
                endBuiltin(item, failing: failure, &actions)
            }
        } catch {
            endBuiltin(item, failing: TaskFailure(error), &actions)
        }
        return false
    }

    private static func accumulated(_ call: Builtin.Call) throws(CanvasError) -> JSON {
        guard let index = call.kwargs.given("index") else { return .array(call.args) }
        guard let place = index.integer, case let position = place < 0 ? place + Int64(call.args.count) : place,
            call.args.indices.contains(Int(clamping: position))
        else { throw CanvasError("celery.accumulate has no argument \(PythonRepr.repr(index))") }
        return call.args[Int(position)]
    }

    private mutating func beginMapping(
        _ item: InFlight, _ builtin: Builtin, _ call: Builtin.Call, _ actions: inout [EngineAction]
    ) throws(CanvasError) -> Bool {
        let task = try SignatureTree(call.parameter(0, "task") ?? nil).task
        let items = try call.list(1, "it")
        guard let manifest = catalog.task(task) else {
            endBuiltin(item, failing: CeleryFailure.notRegistered(task), &actions)
            return false
        }
        if items.isEmpty {
            try endBuiltin(item, [], &actions)
            return false
        }
        item.policy = policy(for: task, manifest: manifest)
        let lists = builtin == .starmap ? items : items.map { [$0] }
        item.mapping = Mapping(task: task, waiting: lists.reversed())
        return true
    }

    /// - Returns: nil: there is a next item, and it has been dispatched.
    mutating func mapped(_ item: InFlight, _ report: RunReport, _ actions: inout [EngineAction]) -> RunReport? {
        guard var mapping = item.mapping, case .success(let result) = report.outcome, life.stopping == nil else {
            item.mapping = nil
            return report
        }
        mapping.results.append(JSON(trusting: result))
        mapping.waiting.removeLast()
        if mapping.waiting.isEmpty {
            item.mapping = nil
            var whole = report
            whole.outcome = .success(JSON.array(mapping.results).bytes)
            return whole
        }
        item.mapping = mapping
        dispatch(item, &actions)
        return nil
    }

    private mutating func publishBuiltin(
        _ item: InFlight, _ builtin: Builtin, _ call: Builtin.Call, _ actions: inout [EngineAction]
    ) throws(CanvasError) {
        var canvas = canvas(for: item)
        var result: JSON = nil
        switch builtin {
        case .chunks:
            let items = try call.list(1, "it")
            guard let size = call.parameter(2, "n")?.integer, size > 0 else {
                throw CanvasError("'n' must be a whole number > 0")
            }
            let task = call.parameter(0, "task") ?? nil
            let chunks = stride(from: 0, to: items.count, by: Int(clamping: size)).map { start in
                let chunk = Array(items[start..<min(start + Int(clamping: size), items.count)])
                return SignatureTree("celery.starmap", kwargs: ["task": task, "it": .array(chunk)], isImmutable: true)
            }
            result = try canvas.apply(.group(chunks))?.json ?? nil
        case .group:
            var members: [SignatureTree] = []
            for task in try call.list(0, "tasks") { members.append(try SignatureTree(task)) }
            var options: JSONMap = [:]
            options["task_id"] = call.parameter(2, "group_id")
            try canvas.apply(.group(members, options: options), args: call.parameter(3, "partial_args")?.elements ?? [])
            result = call.parameter(1, "result") ?? nil
        default:
            let parts: JSONMap = [
                "header": call.parameter(0, "header") ?? [], "body": call.parameter(1, "body") ?? nil,
            ]
            let signature: JSONMap = [
                "task": .string(Builtin.chord.rawValue), "subtask_type": "chord", "kwargs": parts.json,
            ]
            let partial = call.parameter(2, "partial_args")?.elements ?? []
            result = try canvas.apply(try SignatureTree(signature.json), args: partial)?.json ?? nil
        }
        item.children += canvas.children
        let steps = try self.steps(of: canvas) + successSteps(item, result.bytes)
        emitWhenSettled(.succeeded(result: result.bytes), of: item)
        record(item, steps + [.acknowledge], &actions)
    }

    private mutating func endBuiltin(
        _ item: InFlight, _ result: JSON, _ actions: inout [EngineAction]
    ) throws(CanvasError) {
        let steps = try successSteps(item, result.bytes)
        emitWhenSettled(.succeeded(result: result.bytes), of: item)
        record(item, steps + [.acknowledge], &actions)
    }

    private mutating func endBuiltin(_ item: InFlight, failing failure: TaskFailure, _ actions: inout [EngineAction]) {
        note(&actions, .failed(name: item.message.displayName, id: item.message.id, failure: failure))
        emitWhenSettled(.failed(failure), of: item)
        record(item, failureSteps(item, failure) + [.acknowledge], &actions)
    }
}
