/// Exit statuses, as `taskhost --help` and docs/cli.md list them. The larger ones are those of sysexits.h.
package enum ExitStatus: Int32, Sendable, CaseIterable {
    case success = 0
    case failure = 1
    case unhealthy = 2
    case usage = 64
    case noBundle = 65
    case noApp = 66
    case unavailable = 69
    case cannotCreate = 73
    case outputLost = 74
    case notYet = 75
    case configuration = 78
    case timedOut = 124

    var meaning: String {
        switch self {
        case .success: "done; with --wait: the task succeeded"
        case .failure: "task failed or revoked; a bundle refused; a worker replied with an error; worker stopped by INT"
        case .unhealthy: "doctor found something that does not work"
        case .usage: "wrong options or arguments"
        case .noBundle: "worker: none of the bundles could be loaded"
        case .noApp: "the Celery app of -A cannot be loaded"
        case .unavailable: "broker or result store unreachable, or they refuse us; no worker replies"
        case .cannotCreate: "pid file in use by another process, or not writable; new, dev: so is the folder"
        case .outputLost: "done, but standard output could not be written (its disk is full)"
        case .notYet: "result: nothing known of the task yet, or still under way"
        case .configuration: "wrong setting, unsafe or empty plugins folder, incomplete install"
        case .timedOut: "--wait=SECONDS ran out; the task goes on"
        }
    }

    package static var table: String {
        allCases.map { status in
            let number = String(status.rawValue)
            return "  " + number + String(repeating: " ", count: 5 - number.count) + status.meaning
        }.joined(separator: "\n")
    }
}
