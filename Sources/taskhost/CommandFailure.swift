import Client
import Ports

/// Why a command ends without having done its work: a sentence, the fix when we know it, and the exit status.
struct CommandFailure: Error, Sendable, Equatable, CustomStringConvertible {
    var status: ExitStatus
    var message: String
    /// A sentence that tells what to do.
    var fix: String?

    init(_ status: ExitStatus, _ message: String, fix: String? = nil) {
        self.status = status
        self.message = message
        self.fix = fix
    }

    var description: String { fix.map { "\(message)\n  fix: \($0)" } ?? message }

    static func configuration(_ message: String, fix: String? = nil) -> CommandFailure {
        CommandFailure(.configuration, message, fix: fix)
    }

    /// - Parameter what: what was not done, before the reason.
    static func unavailable(_ failure: BrokerFailure, _ what: String? = nil) -> CommandFailure {
        CommandFailure(.unavailable, (what.map { "\($0): " } ?? "") + failure.detail, fix: failure.fix)
    }

    static func unsent(_ failure: SendFailure) -> CommandFailure {
        switch failure {
        case .broker(let failure): unavailable(failure, "not sent")
        case .store(let failure): unavailable(failure)
        case .noChords: CommandFailure(.configuration, failure.description)
        }
    }

    static func unavailable(_ failure: StoreFailure) -> CommandFailure {
        CommandFailure(.unavailable, failure.detail, fix: failure.fix)
    }
}
