// Follow: what a task's end calls, stores and reports beyond its own result (celery-wire.md §3.6, §3.7, §3.13).
import Canvas
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

extension EngineCore {
    /// Publishes what follows, then stores the result, then reports the part: in this order, so that whoever sees the
    /// result finds everything it names already sent.
    func successSteps(_ item: Held, _ result: [UInt8]) throws(CanvasError) -> [Step] {
        var children = item.children
        var steps: [Step] = []
        if item.message.hasContinuations {
            var canvas = canvas(for: item)
            try canvas.succeed(item.continuations, with: JSON(trusting: result))
            steps = try self.steps(of: canvas)
            children += canvas.children
        }
        steps += storeStep(
            item, .success,
            ResultMeta.success(
                of: item.message, result: result, at: now.wall, children: JSON.array(children).bytes,
                extended: extended(item)))
        return steps + partStep(item, .success, result)
    }

    func failureSteps(_ item: Held, _ failure: TaskFailure) -> [Step] {
        let stored = failureStep(item, failure)
        guard item.message.hasContinuations else { return stored }
        let following = item.continuations
        let part = partStep(item, .failure, failure.json.bytes)
        let rest = failChain(following.chain, failure, stores: !stored.isEmpty)
        let called = errbackSteps(
            following.errbacks, FailedRequest(item, nodeName: options.nodeName), failure, item)
        return stored + part + rest + called.steps
    }

    /// Neither errbacks nor the rest of the chain hear of a revocation.
    func revokedSteps(_ item: Held, reason: String) -> [Step] {
        let meta = ResultMeta.revoked(of: item.message, reason: reason, at: now.wall, extended: extended(item))
        return storeStep(item, .revoked, meta)
            + partStep(item, .revoked, CeleryFailure.revoked(reason: reason).json.bytes)
    }

    func replacementSteps(_ item: Held, _ signature: [UInt8]) throws(CanvasError) -> [Step] {
        var canvas = canvas(for: item)
        try canvas.replace(item.message, item.continuations, by: try Signature(JSON(trusting: signature)))
        return try steps(of: canvas)
    }

    /// Each step of the chain ends as this one did, so that nobody waits for them.
    func failChain(_ chain: [JSON], _ failure: TaskFailure, stores: Bool) -> [Step] {
        var steps: [Step] = []
        for failed in Continuations.failedSteps(chain) {
            var message = TaskMessage(id: failed.taskID, name: failed.task)
            message.setArguments(failed.args.bytes, failed.kwargs.bytes)
            message.groupID = failed.groupID
            message.groupIndex = failed.groupIndex
            message.parentID = failed.parentID
            message.replyTo = failed.replyTo
            message.correlationID = failed.taskID
            // Nobody ran it, and it came from no queue.
            let extended = options.resultExtended ? ExtendedFields(worker: nil, queue: nil) : nil
            if stores { steps.append(.store(failureRecord(message, failure, extended: extended))) }
            steps += partStep(message, failed.chord, .failure, failure.json.bytes)
        }
        return steps
    }

    /// Calls those that take the failure itself, publishes the others.
    func errbackSteps(
        _ errbacks: [JSON], _ request: FailedRequest, _ failure: TaskFailure, _ item: Held
    ) -> (steps: [Step], children: [JSON]) {
        guard !errbacks.isEmpty else { return ([], []) }
        var canvas = canvas(for: item)
        do throws(CanvasError) {
            let here = try canvas.fail(
                errbacks, taskID: request.id, rootID: request.rootID,
                isCalledHere: { catalog.task($0)?.options.takesFailure == true })
            let details = [request.json, failure.json, failure.traceback.map(JSON.string) ?? nil]
            let calls = here.map { signature in
                let args = signature.isImmutable ? signature.args : details + signature.args
                return Step.call(
                    Errback(
                        id: signature.id ?? makeID(), task: signature.task,
                        body: JSON.array([.array(args), signature.kwargs.json, .object([])]).bytes))
            }
            return (calls + (try steps(of: canvas)), canvas.children)
        } catch {
            // The task has failed already; there is nothing left that could fail for this.
            return ([.note(.notFollowed(id: request.id, reason: error.description))], [])
        }
    }

    func failureRecord(
        _ message: TaskMessage, _ failure: TaskFailure, children: [JSON] = [], extended: ExtendedFields? = nil
    ) -> ResultRecord {
        ResultRecord(
            taskID: message.id, state: .failure,
            meta: ResultMeta.failure(
                of: message, failure: failure, at: now.wall, children: JSON.array(children).bytes,
                extended: extended),
            replyTo: message.replyTo, correlationID: message.correlationID,
            expiresAfterSeconds: options.resultExpiresSeconds)
    }

    func partStep(_ item: Held, _ state: TaskState, _ value: [UInt8]) -> [Step] {
        item.message.hasContinuations ? partStep(item.message, item.continuations.chord, state, value) : []
    }

    private func partStep(_ message: TaskMessage, _ body: JSON?, _ state: TaskState, _ value: [UInt8]) -> [Step] {
        guard let body, let group = message.groupID, joinsChords else { return [] }
        let part = ChordPart(
            groupID: group, groupIndex: message.groupIndex, taskID: message.id, state: state, value: value)
        return state == .success
            ? [.part(part, body: body)] : [.pause(Self.memberFailureLeadSeconds), .part(part, body: body)]
    }

    /// How long a member's failure is there to be seen before its chord's body may fail with it. A Celery client that
    /// waits for a body looks at the members once and then at the body; if both fail between its two looks, a
    /// millisecond or more apart, it raises `ChordError` in place of what the member raised
    /// (celery/result.py, `AsyncResult.get`). Python's own worker takes some milliseconds there, too.
    static let memberFailureLeadSeconds = 0.025

    // ---- from effects to steps ----

    func canvas(for item: Held) -> Canvas {
        var context = CanvasContext(
            parentID: item.message.id, rootID: item.message.rootID ?? item.message.id,
            priority: options.inheritsPriority ? item.message.priority : nil, replyTo: options.replyTo,
            origin: options.origin, now: now.wall, makeID: makeID)
        context.serializer = options.taskSerializer ?? item.message.contentType
        context.compression = options.taskCompression ?? item.message.compression
        // What the engine does itself has no run.
        context.trace = item.trace?.context ?? TraceContext(headers: item.delivery.message.headers)
        return Canvas(context)
    }

    func steps(of canvas: Canvas) throws(CanvasError) -> [Step] {
        var steps: [Step] = []
        for effect in canvas.effects {
            switch effect {
            case .publish(let call): steps.append(.publish(try publication(of: call)))
            case .announce(let announcement):
                guard joinsChords else {
                    throw CanvasError(
                        "this result store does not support chords: use redis:// or sqlite:// as result backend",
                        isUnsupported: true)
                }
                steps.append(.announce(announcement))
            }
        }
        return steps
    }

    private func publication(of call: CanvasCall) throws(CanvasError) -> Publication {
        let message: WireMessage
        do throws(WireError) {
            message = try call.message.encoded(as: call.serializer, call.compression, by: options.formats)
        } catch {
            throw CanvasError("\(call.taskName) cannot be sent: \(error)")
        }
        return switch options.routes.target(of: call) {
        case .queue(let name): publication(of: message, to: name, dueInSeconds: call.dueInSeconds)
        case .exchange(let name, let key): Publication(destination: .exchange(name, routingKey: key), message: message)
        case .routed: publication(of: message, to: options.routes.defaultQueue, dueInSeconds: call.dueInSeconds)
        }
    }
}

extension JSON {
    /// Text that has been checked before; should it be none all the same, it stays visible as a string.
    init(trusting bytes: [UInt8]) {
        do throws(JSONError) {
            self = try JSON(parsing: bytes, limits: .trusted)
        } catch {
            self = .string(String(decoding: bytes, as: UTF8.self))
        }
    }
}

extension Continuations {
    init(reading message: TaskMessage) { self.init(JSON(trusting: Array(message.body[message.embedRange]))) }
}

extension TaskFailure {
    init(_ error: CanvasError) {
        self.init(
            type: error.isUnsupported ? "NotImplementedError" : "CanvasError",
            module: error.isUnsupported ? "builtins" : "taskhost.errors",
            arguments: JSON.array([.string(error.description)]).bytes)
    }

    /// As results and chord parts hold it (celery-wire.md §4.2).
    var json: JSON {
        let arguments = JSON(trusting: self.arguments)
        return .object([
            JSONMember(key: "exc_type", value: .string(type)),
            JSONMember(key: "exc_message", value: arguments.elements == nil ? [arguments] : arguments),
            JSONMember(key: "exc_module", value: .string(module)),
        ])
    }

    init(_ json: JSON) {
        self.init(
            type: json["exc_type"]?.text ?? "Exception", module: json["exc_module"]?.text ?? "builtins",
            arguments: (json["exc_message"] ?? []).bytes)
    }

    /// In Python's notation.
    var repr: String { PythonRepr.exception(type: type, arguments: JSON(trusting: arguments).elements ?? []) }
}
