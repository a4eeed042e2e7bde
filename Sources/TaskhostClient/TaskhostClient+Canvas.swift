// Signatures become messages here, and their results-to-be.
import Canvas
import CeleryWire
import Client
import Foundation
import TaskModel
import TaskhostJSON

extension TaskhostClient {
    /// Sends a task, a chain or a chord; returns once the broker holds all messages that start it.
    /// - Returns: the result of its last task.
    @discardableResult
    public func send(_ signature: Signature) async throws -> AsyncResult {
        guard case .task(let result)? = try await send(try signature.json()) else {
            throw ClientError.argument("nothing but empty groups in this signature: it has no result")
        }
        return result
    }

    /// Sends a group; returns once the broker holds all messages that start it.
    @discardableResult
    public func send(_ group: Group) async throws -> GroupResult {
        switch try await send(try group.json()) {
        case .group(let result)?: return result
        // What is left of a group of one at the end of a chain.
        case .task(let result)?: return GroupResult(result.id, members: [.task(result)], parent: result.parent)
        case nil: throw ClientError.argument("an empty group has no result")
        }
    }

    private func send(_ signature: JSON) async throws -> ResultNode? {
        let plan = try plan(for: signature)
        // Held before anything is sent: nothing is missed.
        let node = plan.result.flatMap { ResultNode($0, thread) }
        let standard = options.defaultQueue
        let lack = "the broker has not confirmed everything"
        try await thread.ask(lack, limit: options.sendTimeout) { (core, reply: Reply<Void>) in
            core.client.send(plan.effects) { name in
                QueueDeclaration(name: name ?? standard)
            } done: { failure in
                if let failure { reply.fail(ClientError.refused(failure.description)) } else { reply.succeed(()) }
            }
        }
        return node
    }

    private func plan(for signature: JSON) throws(ClientError) -> SendingPlan {
        let context = CanvasContext(
            replyTo: thread.replyTo, origin: options.origin,
            now: WallTime(secondsSince1970: Date.now.timeIntervalSince1970), makeID: TaskCall.newID)
        do {
            return try SendingPlan(signature, context)
        } catch {
            throw .argument(error.description)
        }
    }
}
