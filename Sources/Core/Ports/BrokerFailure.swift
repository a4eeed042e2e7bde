// What can go wrong at a broker, sorted once: by waiting, or never. Every adapter says which code; publishers ask
// `isPermanent`.
import TaskModel

/// The network's, the broker's or the message's fault. `fix` is a sentence for the operator when there is one.
public struct BrokerFailure: Error, Sendable, CustomStringConvertible {
    public enum Code: Sendable, Equatable {
        // ---- passing: the same publication may succeed later ----

        /// There is no link, or the broker answers nothing, or not now (an alarm, no memory).
        case unreachable
        /// The broker, or the file, does not let us in at all: user, password, virtual host, certificate, rights.
        case loginRefused
        /// The broker did not take it: the queue is full, a node failed, the queue was deleted that moment.
        case nacked
        /// The link, or we, closed before it was decided.
        case closed
        /// An answer that is none of these.
        case protocolError

        /// Published on behalf of a delivery that others have taken over (`Publication.claim`): not at all, then.
        case claimLost

        // ---- permanent: what the request itself names or holds is refused ----

        /// We are let in, and may not do this: no rights on the queue or exchange, a reserved name, somebody else's
        /// exclusive queue (AMQP 403, 405).
        case accessRefused
        /// What it names does not exist (AMQP 404).
        case notFound
        /// It contradicts what is there, or a bound of the broker's: other arguments, a property that is no number, a
        /// message above the broker's largest size (AMQP 406).
        case precondition
        /// Its exchange is bound to no queue for its routing key.
        case unroutable
        /// The protocol cannot carry it: a name too long, headers above one frame, a delay to an exchange.
        case unsupported
    }

    public var code: Code
    public var detail: String
    public var fix: String?

    public init(_ code: Code, _ detail: String, fix: String? = nil) {
        self.code = code
        self.detail = detail
        self.fix = fix
    }

    /// Publishing the same again cannot help: waiting mends what is wrong with a link, not what is wrong with a message.
    public var isPermanent: Bool {
        switch code {
        case .unreachable, .loginRefused, .nacked, .closed, .protocolError, .claimLost: false
        case .accessRefused, .notFound, .precondition, .unroutable, .unsupported: true
        }
    }

    /// For what was under way, or came, when the broker was closed.
    public static let gone = BrokerFailure(.closed, "The broker was closed before it was done")
    /// For a publication with a claim, and that delivery is not ours any more.
    public static let claimLost = BrokerFailure(.claimLost, "Others have taken over the message this belongs to")

    public var description: String { failureText(detail, fix: fix) }
}
