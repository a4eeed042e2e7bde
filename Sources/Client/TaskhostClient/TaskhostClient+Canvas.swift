// Signatures become messages here, and their results-to-be.
import Canvas
import CeleryWire
import Client
import FoundationEssentials
import TaskModel
import TaskhostJSON
public import TaskhostSignature

extension TaskhostClient {
    /// Sends a task, a chain or a chord; returns once the broker holds all messages that start it.
    /// - Returns: the result of its last task.
    @discardableResult
    public func send(_ signature: Signature) async throws -> AsyncResult {
        let (plan, node) = try prepare(signature)
        switch node {
        case .task(let result)?:
            try await send(plan)
            return result
        case .group?: throw ClientError.argument("the result of a group is a list: send it as group(…)")
        case nil: throw ClientError.argument("nothing but empty groups in this signature: it has no result")
        }
    }

    /// Sends a group; returns once the broker holds all messages that start it.
    @discardableResult
    public func send(_ group: Group) async throws -> GroupResult {
        let (plan, node) = try prepare(group.signature)
        guard let node else { throw ClientError.argument("an empty group has no result") }
        try await send(plan)
        return switch node {
        case .group(let result): result
        // What is left of a group of one at the end of a chain.
        case .task(let result): GroupResult(result.id, members: [.task(result)], parent: result.parent)
        }
    }

    /// The results are held before anything is sent: nothing is missed.
    private func prepare(_ signature: Signature) throws(ClientError) -> (SendingPlan, ResultNode?) {
        let plan = try plan(for: signature.json)
        return (plan, plan.result.flatMap { ResultNode($0, thread) })
    }

    private func send(_ plan: SendingPlan) async throws {
        let standard = options.defaultQueue
        let lack = "the broker has not confirmed everything"
        try await thread.ask(lack, limit: options.sendTimeout) { (core, reply: Reply<Void>) in
            core.client.send(plan) { name in
                QueueDeclaration(name: name ?? standard)
            } done: { failure in
                if let failure { reply.fail(ClientError.refused(failure.description)) } else { reply.succeed(()) }
            }
        }
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
