// From what a task is followed by to the steps of its settlement, by values only: long results and canvases are made
// into steps beside the loop.
import Canvas
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

/// What a canvas of a task's is made with, but for the ids.
struct CanvasTerms: Sendable {
    let parentID: String
    let rootID: String
    let priority: UInt8?
    let replyTo: String
    let origin: String
    let now: WallTime
    let serializer: ContentType
    let compression: Compression?
    let trace: TraceContext?
    let carried: FieldTable

    func canvas(makeID: @escaping () -> String) -> Canvas {
        var context = CanvasContext(
            parentID: parentID, rootID: rootID, priority: priority, replyTo: replyTo, origin: origin, now: now,
            makeID: makeID)
        context.serializer = serializer
        context.compression = compression
        context.trace = trace
        context.carried = carried
        return Canvas(context)
    }
}

/// From effects to steps.
struct StepMaker: Sendable {
    let routes: Routes
    let formats: any BodyFormats
    let etaHoldSeconds: Double
    let queues: [QueuePreference]
    let joinsChords: Bool
    /// The store keeps results, so that a chord can be joined by looking at them.
    let keepsResults: Bool

    func steps(of canvas: Canvas) throws(CanvasError) -> [Step] {
        var steps: [Step] = []
        for effect in canvas.effects {
            switch effect {
            case .publish(let call): steps.append(.publish(try publication(of: call), .following(call)))
            case .announce(let announcement):
                if joinsChords {
                    steps.append(.announce(announcement))
                } else if keepsResults {
                    let call = canvas.unlocking(announcement)
                    steps.append(.publish(try publication(of: call), .following(call)))
                } else {
                    throw CanvasError(
                        "this result store does not support chords: use one that keeps results as result backend",
                        isUnsupported: true)
                }
            }
        }
        return steps
    }

    private func publication(of call: CanvasCall) throws(CanvasError) -> Publication {
        let message: WireMessage
        do throws(WireError) {
            message = try call.message.encoded(as: call.serializer, call.compression, by: formats)
        } catch {
            throw CanvasError("\(call.taskName) cannot be sent: \(error)")
        }
        let publication =
            switch routes.target(of: call) {
            case .queue(let name): publication(of: message, to: name, dueInSeconds: call.dueInSeconds)
            case .exchange(let name, let key):
                Publication(destination: .exchange(name, routingKey: key), message: message)
            case .routed: publication(of: message, to: routes.defaultQueue, dueInSeconds: call.dueInSeconds)
            }
        if let problem = publication.problem { throw CanvasError("\(call.taskName) cannot be sent: \(problem)") }
        return publication
    }

    func partStep(_ message: TaskMessage, _ body: JSON?, _ state: TaskState, _ value: [UInt8]) -> [Step] {
        guard let body, let group = message.groupID, joinsChords else { return [] }
        let part = ChordPart(
            groupID: group, groupIndex: message.groupIndex, taskID: message.id, state: state, value: value)
        return state == .success
            ? [.part(part, body: body)]
            : [.pause(EngineCore.memberFailureLeadSeconds), .part(part, body: body)]
    }

    /// To a queue; with a delay if it is due so late that no worker should keep it until then.
    func publication(of message: WireMessage, to queue: String, dueInSeconds seconds: Double) -> Publication {
        publication(of: message, to: QueueDeclaration(name: queue), dueInSeconds: seconds)
    }

    /// - Parameter queue: as it is declared if it is missing, and the operator says nothing of it.
    func publication(of message: WireMessage, to queue: QueueDeclaration, dueInSeconds seconds: Double) -> Publication {
        let declaration = queues.first { $0.declaration.name == queue.name }?.declaration ?? queue
        // Half of the holding time is left to be waited out exactly, by its eta.
        let delay = seconds > etaHoldSeconds ? seconds - etaHoldSeconds / 2 : 0
        return Publication(
            destination: .queue(declaration), message: delay > 0 ? Republication.delayed(message) : message,
            delaySeconds: delay)
    }
}

/// Steps that are to be made.
struct SequelJob: Sendable {
    enum Kind: Sendable {
        /// JSON text of the result, and what the task has called itself.
        case success([UInt8], children: [JSON])
        /// JSON text of the signature that takes its place.
        case replacement([UInt8])
        /// The body of a chord that is complete; parts as the store gave them.
        case chordBody(JSON, parts: [[UInt8]], claim: ChordClaim?)
    }

    let kind: Kind
    let message: TaskMessage
    let terms: CanvasTerms
    let maker: StepMaker
    /// How the result is stored; nil: it is not.
    let storing: Storing?
    let madeIDs: UInt64

    struct Storing: Sendable {
        var extended: ExtendedFields?
        var expiresAfterSeconds: Double?
    }

    /// Bytes that are parsed and written again for it.
    var weight: Int {
        switch kind {
        case .success(let text, _), .replacement(let text): text.count + message.embedRange.count
        case .chordBody(_, let parts, _): parts.reduce(0) { $0 + $1.count }
        }
    }

    func made() -> Result<Sequel, SequelFailure> {
        var sequel = Sequel(steps: [], madeIDs: madeIDs)
        var canvas = terms.canvas {
            sequel.madeIDs += 1
            return FollowingID.text(of: message, number: sequel.madeIDs)
        }
        do throws(SequelFailure) {
            switch kind {
            case .success(let result, let children):
                let following = continuations
                sequel.continuations = following
                try Self.explained { () throws(CanvasError) in
                    try canvas.succeed(following, with: try Self.passable(result))
                    sequel.steps = try maker.steps(of: canvas)
                }
                sequel.steps += storeStep(result, children + canvas.children)
                sequel.steps += maker.partStep(message, following.chord, .success, result)
            case .replacement(let signature):
                let following = continuations
                sequel.continuations = following
                try Self.explained { () throws(CanvasError) in
                    try canvas.replace(message, following, by: try SignatureTree(JSON(trusting: signature)))
                    sequel.steps = try maker.steps(of: canvas)
                }
            case .chordBody(let body, let parts, let claim):
                let results = try Self.results(of: parts)
                do throws(CanvasError) {
                    try canvas.apply(try SignatureTree(body), args: [.array(results)])
                    sequel.steps = try maker.steps(of: canvas)
                } catch {
                    throw .chord("Callback error: \(error)", nil)
                }
                if let claim { sequel.steps.append(.finishChord(claim)) }
            }
            return .success(sequel)
        } catch {
            return .failure(error)
        }
    }

    /// A result as what follows is called with it. What nothing can hold (a key with half of a surrogate pair) is not
    /// passed on as something else.
    private static func passable(_ result: [UInt8]) throws(CanvasError) -> JSON {
        do throws(JSONError) {
            return try JSON(parsing: result, limits: .trusted)
        } catch {
            throw CanvasError("its result cannot be passed on: \(error)")
        }
    }

    private var continuations: Continuations { message.hasContinuations ? Continuations(reading: message) : .none }

    private func storeStep(_ result: [UInt8], _ children: [JSON]) -> [Step] {
        guard let storing else { return [] }
        let meta = ResultMeta.success(
            of: message, result: result, at: terms.now, children: JSON.array(children).bytes,
            extended: storing.extended)
        return [
            .store(
                ResultRecord(
                    taskID: message.id, state: .success, meta: meta, replyTo: message.replyTo,
                    correlationID: message.correlationID, expiresAfterSeconds: storing.expiresAfterSeconds))
        ]
    }

    /// - Parameter parts: in order; each JSON `[1, task id, state, value]`.
    private static func results(of parts: [[UInt8]]) throws(SequelFailure) -> [JSON] {
        var results: [JSON] = []
        for bytes in parts {
            guard let report = JSON(trusting: bytes).elements, report.count == 4, let state = report[2].text else {
                throw .chord("Join error: a part is unreadable", nil)
            }
            if state == TaskState.failure.rawValue || state == TaskState.revoked.rawValue {
                let failure = TaskFailure(report[3])
                throw .chord("Dependency \(report[1].text ?? "?") raised \(failure.repr)", failure)
            }
            results.append(report[3])
        }
        return results
    }

    private static func explained(_ work: () throws(CanvasError) -> Void) throws(SequelFailure) {
        do throws(CanvasError) {
            try work()
        } catch {
            throw .canvas(error)
        }
    }
}

struct Sequel: Sendable {
    var steps: [Step]
    /// Number of ids made for the task so far.
    var madeIDs: UInt64
    /// As they were read; nil: they were not.
    var continuations: Continuations?
}

enum SequelFailure: Error, Sendable {
    /// What was to follow cannot be called.
    case canvas(CanvasError)
    /// The chord fails, because of this; and with what its member has raised.
    case chord(String, TaskFailure?)
}

/// What is made of it, once it is there.
enum SequelUse: Sendable {
    case outcome(TaskEvent, RunReport)
    /// The group, the body, and the claim to call it.
    case chord(String, JSON, ChordClaim?)
}
