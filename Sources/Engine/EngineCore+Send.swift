// Send: what a task publishes while it runs. It goes out at once; the task is not settled before it is confirmed.
import Canvas
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

extension EngineCore {
    mutating func sent(_ run: RunID, _ submission: Submission, _ actions: inout [EngineAction]) {
        guard let item = runs[run] ?? errbacks[run]?.item else { return }
        var canvas = canvas(for: item)
        do throws(CanvasError) {
            let signature = try Signature(try Self.read(submission.signature))
            switch submission.kind {
            case .send: try canvas.submit(signature, id: submission.taskID)
            case .addToChord:
                try canvas.addToChord(item.message, item.continuations, signature, id: submission.taskID)
            }
            var steps = try self.steps(of: canvas)
            if submission.kind == .addToChord, joinsChords, let group = item.message.groupID {
                steps.insert(.addToChord(group), at: 0)
            }
            item.children += canvas.children
            let isIdle = item.sending.isEmpty
            item.sending += steps
            if isIdle { sendNext(item, &actions) }
        } catch {
            actions.append(.log(.notFollowed(id: item.message.id, reason: error.description)))
        }
    }

    private static func read(_ bytes: [UInt8]) throws(CanvasError) -> JSON {
        do throws(JSONError) {
            return try JSON(parsing: bytes, limits: .trusted)
        } catch {
            throw CanvasError("the signature is not JSON: \(error)")
        }
    }

    func sendNext(_ item: Held, _ actions: inout [EngineAction]) {
        guard let step = item.sending.first else { return }
        if let action = action(of: step, Receipt(held: item.id, purpose: .sending)) { actions.append(action) }
    }

    mutating func sendDone(_ item: Held, _ actions: inout [EngineAction]) {
        guard !item.sending.isEmpty else { return }
        item.sending.removeFirst()
        item.sendAttempts = 0
        if item.sending.isEmpty {
            tryStepAgain(item.id, &actions)
        } else {
            sendNext(item, &actions)
        }
    }

    func sendFailed(_ item: Held, what: String, _ actions: inout [EngineAction]) {
        item.sendAttempts += 1
        let pause = Self.pause(after: item.sendAttempts)
        actions.append(.log(.recordingFailed(id: item.message.id, what: what, retryInSeconds: pause)))
        actions.append(.arm(.sending(item.id), afterSeconds: pause))
    }

    mutating func sendAgain(_ id: HeldID, _ actions: inout [EngineAction]) {
        if let item = held[id] { sendNext(item, &actions) }
    }
}
