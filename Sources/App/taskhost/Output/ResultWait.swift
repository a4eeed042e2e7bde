import CeleryWire
import Client
import Fleet
import Glibc
import Output
import TaskModel
import TaskhostJSON

/// Waits for one task's result and shows its states on the way. Shared by `call --wait` and `result --wait`.
final class ResultWait {
    private let session: ClientSession
    private let taskID: String
    private let asJSON: Bool
    private var view = ProgressView()
    private let began = LogTime.now()
    /// The final state, once it is there.
    private(set) var final: ReceivedMeta?
    private var seconds = 0.0
    /// The broker has confirmed the task's message; until then nothing can be said of the task.
    var isSent: Bool
    /// Any state of it has come.
    private(set) var hasState = false
    private var subscription: (any AnyObject)?

    /// - Parameter isSent: false: it is still to be sent by this session.
    init(session: ClientSession, taskID: String, asJSON: Bool, isSent: Bool = true) {
        self.isSent = isSent
        self.session = session
        self.taskID = taskID
        self.asJSON = asJSON
    }

    /// To be called before the task is sent, so that nothing is missed.
    func follow(limit: WaitTime) {
        subscription = session.client.follow(taskID) { [unowned self] in take($0) }
        guard let seconds = limit.seconds else { return }
        session.limit(seconds: seconds) { [unowned self] in
            clearView()
            guard isSent else { return session.unconfirmed(after: seconds) }
            return CommandFailure(
                .timedOut, "no result of \(taskID) within \(seconds.plain) s; the task goes on",
                fix: "look again with: taskhost result \(taskID) --wait")
        }
    }

    private func take(_ meta: ReceivedMeta) {
        guard final == nil else { return }
        hasState = true
        if meta.isFinal {
            final = meta
            seconds = LogTime.now().seconds(since: began)
            clearView()
            session.finish()
        } else if !asJSON, let text = view.text(state: meta.state.rawValue, meta: meta.result) {
            Console.write(text, to: STDERR_FILENO)
        }
    }

    private func clearView() {
        if let text = view.end() { Console.write(text, to: STDERR_FILENO) }
    }

    /// Prints the result. The exit status follows the state.
    func report() -> ExitStatus {
        guard let final else { return .notYet }
        return ResultText.report(final, taskID: taskID, seconds: seconds, asJSON: asJSON)
    }
}
