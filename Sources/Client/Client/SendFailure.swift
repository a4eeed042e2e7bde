// Why something was not sent.
public import Ports

public enum SendFailure: Error, Sendable, CustomStringConvertible {
    case broker(BrokerFailure)
    case store(StoreFailure)
    /// The result store cannot join chords.
    case noChords(store: String)

    public var description: String {
        switch self {
        case .broker(let failure): failure.description
        case .store(let failure): failure.description
        case .noChords(let store):
            "\(store) cannot join a chord. Name a store that can with the result backend: redis://, postgresql://, mysql:// or "
                + "sqlite:"
        }
    }
}
