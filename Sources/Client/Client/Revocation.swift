// The one order of remote control that clients give: tasks are not to be run, or to be ended (celery-protocol.md §5.1).
import CeleryWire
public import Ports
import TaskModel
import TaskhostJSON

extension TaskClient {
    /// Tells every worker that listens now; workers tell those that start later.
    /// - Parameters:
    ///   - signal: nil: tasks that run already go on; else what ends them, e.g. "SIGTERM".
    ///   - done: nil once the broker has taken the order, which has no reply.
    public func revoke(
        _ taskIDs: [String], terminate signal: String?, controlExchange: String = "celery",
        done: @escaping (BrokerFailure?) -> Void
    ) {
        guard let broker else {
            return done(BrokerFailure(.unsupported, "this client has no broker to send through"))
        }
        let arguments = [
            JSONMember(key: "task_id", value: .array(taskIDs.map(JSON.string))),
            JSONMember(key: "terminate", value: .bool(signal != nil)),
            JSONMember(key: "signal", value: .string(signal ?? "SIGTERM")),
        ]
        let ticket = TaskCall.newID()
        let message: WireMessage
        do throws(WireError) {
            message = try commands.written(ControlQuestion("revoke", arguments).message(ticket: ticket, replyTo: nil))
        } catch {
            return done(BrokerFailure(.unsupported, error.detail))
        }
        if let broadcasts {
            broadcasts.send(message, ticket: ticket, controlExchange: controlExchange) { done(nil) }
            return
        }
        let fanout = Publication.Destination.exchange("\(controlExchange).pidbox", routingKey: "")
        broker.publish(Publication(destination: fanout, message: message)) { failure in
            // No worker is subscribed: nothing to revoke.
            done(failure?.code == .unroutable ? nil : failure)
        }
    }
}
