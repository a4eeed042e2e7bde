// To whom a command may have its reply sent: the worker sends it, and has more rights than the sender.
import Ports
public import TaskModel

public struct ControlReplies: Sendable {
    private let pidbox: String
    private let targets: ReplyTargets

    /// - Parameters:
    ///   - controlExchange: Celery's `control_exchange`.
    ///   - targets: queues that a reply may go to straight.
    public init(controlExchange: String, targets: ReplyTargets = ReplyTargets()) {
        pidbox = "\(controlExchange).pidbox"
        self.targets = targets
    }

    /// The exchange that Celery's clients bind their reply queues to; through the default exchange only such queues
    /// and other workers' mailboxes.
    func allow(_ address: ControlReplyAddress) -> Bool {
        switch address.exchange {
        case "reply.\(pidbox)": true
        case "": targets.allows(address.routingKey) || address.routingKey.hasSuffix(".\(pidbox)")
        default: false
        }
    }
}
