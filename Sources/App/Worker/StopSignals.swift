// Which stop a signal asks for: each further one a harder stop than the one under way.
import Engine
import Glibc

struct StopSignals {
    enum Order: Equatable {
        case stop(StopKind)
        /// At once, with whatever is not settled: the broker delivers it again.
        case leave
    }

    static func name(of number: Int32) -> String {
        switch number {
        case SIGTERM: "SIGTERM"
        case SIGINT: "SIGINT"
        case SIGQUIT: "SIGQUIT"
        default: "signal \(number)"
        }
    }

    /// Seconds that running tasks get before a cold stop; 0: nothing.
    var softSeconds: Double
    /// Celery's `REMAP_SIGTERM=SIGQUIT`.
    var treatsTermAsQuit = false

    /// - Parameters:
    ///   - stopping: the stop under way.
    ///   - runsTasks: a soft stop of a worker that runs nothing has nothing to wait for.
    func order(on number: Int32, stopping: StopKind?, runsTasks: Bool) -> Order {
        let isQuit = number == SIGQUIT || (number == SIGTERM && treatsTermAsQuit)
        switch stopping {
        case nil where !isQuit: return .stop(.warm)
        case nil, .warm: return .stop(softSeconds > 0 && runsTasks ? .soft : .cold)
        case .soft: return .stop(.cold)
        case .cold: return .leave
        }
    }
}
