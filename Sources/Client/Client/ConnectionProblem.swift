// Problems of a client's links. A failed attempt is not the end: adapters try again by themselves.
public import Ports

public enum ConnectionProblem: Error, Sendable, CustomStringConvertible {
    /// The broker cannot be reached at present; the adapter tries again.
    case brokerDown(String)
    /// It takes no messages at present (memory or disk alarm); what is sent waits.
    case brokerBlocked(String)
    /// The result store cannot be reached at present, likewise.
    case storeDown(String)
    /// It will not work like this, however often it is tried.
    case refused(BrokerFailure)

    public var description: String {
        switch self {
        case .brokerDown(let reason), .storeDown(let reason): reason
        case .brokerBlocked(let reason): "the broker takes no messages: \(reason)"
        case .refused(let failure): failure.description
        }
    }
}
