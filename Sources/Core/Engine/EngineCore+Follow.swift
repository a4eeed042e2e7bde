// Follow: what a task's end calls, stores and reports beyond its own result (celery-protocol.md §3.6, §3.7, §3.13).
import Canvas
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

extension EngineCore {
    /// Publishes what follows, then stores the result, then reports the part: in this order, so that a
    /// client that sees the result finds everything it names already sent.
    func successSteps(_ item: InFlight, _ result: [UInt8]) throws(CanvasError) -> [Step] {
        switch job(.success(result, children: item.children), item).made() {
        case .success(let sequel):
            item.madeIDs = sequel.madeIDs
            return sequel.steps
        case .failure(.canvas(let error)): throw error
        case .failure(.chord(let reason, _)): throw CanvasError(reason)
        }
    }

    /// The same of a task that nothing follows: most are of this kind.
    func plainSuccessSteps(_ item: InFlight, _ result: [UInt8]) -> [Step] {
        storeStep(
            item, .success,
            ResultMeta.success(
                of: item.message, result: result, at: now.wall, children: JSON.array(item.children).bytes,
                extended: extended(item)))
    }

    func failureSteps(_ item: InFlight, _ failure: TaskFailure) -> [Step] {
        let stored = failureStep(item, failure)
        guard item.message.hasContinuations else { return stored }
        let following = item.continuations
        let part = partStep(item, .failure, failure.json.bytes)
        let rest = failChain(following.chain, failure, stores: !stored.isEmpty)
        let called = errbackSteps(
            following.errbacks, FailedRequest(item, nodeName: options.nodeName), failure, item)
        return stored + part + rest + called.steps
    }

    /// A revocation calls no errbacks and fails no rest of a chain; a chord that counts on that rest is failed.
    func revokedSteps(_ item: InFlight, reason: String) -> [Step] {
        let meta = ResultMeta.revoked(of: item.message, reason: reason, at: now.wall, extended: extended(item))
        let failure = CeleryFailure.revoked(reason: reason)
        return storeStep(item, .revoked, meta) + partStep(item, .revoked, failure.json.bytes)
            + partSteps(FailedStep.all(of: item.continuations.chain), failure)
    }

    /// It asked for no state and no result of its own, and gets none. A chord waits for all of its parts, though:
    /// without one its body could never be called, so it fails. The rest of a chain that ends here keeps no state
    /// either.
    func ignoredSteps(_ item: InFlight) -> [Step] {
        guard item.message.hasContinuations else { return [] }
        let failure = CeleryFailure.ignored()
        return partStep(item, .failure, failure.json.bytes)
            + partSteps(FailedStep.all(of: item.continuations.chain), failure)
    }

    /// Each step of the chain ends as this one did, so that no client waits for them.
    func failChain(_ chain: [JSON], _ failure: TaskFailure, stores: Bool) -> [Step] {
        let failed = FailedStep.all(of: chain)
        let records: [Step] =
            stores
            ? failed.map { step in
                // No worker ran it, and it came from no queue.
                let extended = options.resultExtended ? ExtendedFields(worker: nil, queue: nil) : nil
                return .store(failureRecord(TaskMessage(step), failure, extended: extended))
            } : []
        return records + partSteps(failed, failure)
    }

    /// The parts of those that will never run, so that their chord is not left waiting for them.
    func partSteps(_ failed: [FailedStep], _ failure: TaskFailure) -> [Step] {
        guard joinsChords else { return [] }
        let parts = failed.compactMap { step -> Step? in
            guard let body = step.chord, let group = step.groupID else { return nil }
            let part = ChordPart(
                groupID: group, groupIndex: step.groupIndex, taskID: step.taskID, state: .failure,
                value: failure.json.bytes)
            return .part(part, body: body)
        }
        return parts.isEmpty ? [] : [.pause(Self.memberFailureLeadSeconds)] + parts
    }

    /// Calls those that take the failure itself, publishes the others.
    func errbackSteps(
        _ errbacks: [JSON], _ request: FailedRequest, _ failure: TaskFailure, _ item: InFlight
    ) -> (steps: [Step], children: [JSON]) {
        guard !errbacks.isEmpty else { return ([], []) }
        var canvas = canvas(for: item)
        do throws(CanvasError) {
            let here = try canvas.fail(
                errbacks, taskID: request.id, rootID: request.rootID,
                isCalledHere: { catalog.task($0.task)?.takesFailure(as: $0) == true })
            let details = [request.json, failure.json, failure.traceback.map(JSON.string) ?? nil]
            let calls = here.map { signature in
                let args = signature.isImmutable ? signature.args : details + signature.args
                return Step.call(
                    Errback(
                        id: signature.id ?? makeID(), task: signature.task,
                        body: JSON.array([.array(args), signature.kwargs.json, .object([])]).bytes))
            }
            return (calls + (try steps(of: canvas)), canvas.children)
        } catch  where errbacks.count > 1 {
            // One that cannot be called does not prevent the others.
            return errbacks.map { errbackSteps([$0], request, failure, item) }
                .reduce(into: (steps: [Step](), children: [JSON]())) { all, one in
                    all.steps += one.steps
                    all.children += one.children
                }
        } catch {
            // The task has failed already; what cannot be called fails under its own id.
            let note = Step.note(.notFollowed(id: request.id, reason: error.description))
            return ([note] + failChain(errbacks, TaskFailure(error), stores: hasStore), [])
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

    func partStep(_ item: InFlight, _ state: TaskState, _ value: [UInt8]) -> [Step] {
        item.message.hasContinuations ? partStep(item.message, item.continuations.chord, state, value) : []
    }

    func partStep(_ message: TaskMessage, _ body: JSON?, _ state: TaskState, _ value: [UInt8]) -> [Step] {
        maker.partStep(message, body, state, value)
    }

    /// How long a member's failure is there to be seen before its chord's body may fail with it. A Celery client that
    /// waits for a body looks at the members once and then at the body; if both fail between its two looks, a
    /// millisecond or more apart, it raises `ChordError` in place of what the member raised
    /// (celery/result.py, `AsyncResult.get`). Python's own worker takes some milliseconds there, too.
    static let memberFailureLeadSeconds = 0.025

    // ---- from effects to steps ----

    func canvas(for item: InFlight) -> Canvas { terms(of: item).canvas { item.nextID() } }

    func terms(of item: InFlight) -> CanvasTerms {
        CanvasTerms(
            parentID: item.message.id, rootID: item.message.rootID ?? item.message.id,
            priority: options.inheritsPriority ? item.message.priority : nil, replyTo: options.replyTo,
            origin: options.origin, now: now.wall, serializer: options.taskSerializer ?? item.message.contentType,
            compression: options.taskCompression ?? item.message.compression,
            // What the engine does itself has no run.
            trace: item.trace?.context ?? TraceContext(headers: item.delivery.message.headers),
            carried: CarriedHeaders.of(item.delivery.message.headers, names: options.carriedHeaders))
    }

    func steps(of canvas: Canvas) throws(CanvasError) -> [Step] { try maker.steps(of: canvas) }
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

extension TaskMessage {
    fileprivate init(_ step: FailedStep) {
        self.init(id: step.taskID, name: step.task)
        setArguments(step.args.bytes, step.kwargs.bytes)
        groupID = step.groupID
        groupIndex = step.groupIndex
        parentID = step.parentID
        replyTo = step.replyTo
        correlationID = step.taskID
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

    /// As results and chord parts hold it (celery-protocol.md §4.2).
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

extension TaskManifest {
    /// Celery looks at what is left of the parameters when those that an errback brings along are taken (§3.12): one for
    /// the failed task's id only, and it is a task like any other.
    fileprivate func takesFailure(as errback: SignatureTree) -> Bool {
        guard options.takesFailure == true else { return false }
        let (given, named) = (errback.args.count, errback.kwargs.members.map(\.key))
        guard !errback.isImmutable, given > 0 || !named.isEmpty, !parameters.isEmpty else { return true }
        if parameters.contains(where: { $0.name.hasPrefix("*") && !$0.name.hasPrefix("**") }) { return true }
        // What comes after a parameter that is given by its name can only be given by name itself.
        let left = parameters.dropFirst(given).prefix { !named.contains($0.name) && !$0.name.hasPrefix("*") }
        return left.count > 1
    }
}
