import Fleet
import Output
import Ports
import TaskhostJSON

/// Retry and drop: the same command with another action.
enum DeadSettling {
    /// nil: all.
    static func selection(_ ids: [String], all: Bool) throws(CommandFailure) -> Set<String>? {
        switch (ids.isEmpty, all) {
        case (true, true): return nil
        case (false, false): return Set(ids)
        case (true, false): throw CommandFailure(.usage, "name task ids, or say --all")
        case (false, true): throw CommandFailure(.usage, "--all and task ids exclude each other")
        }
    }

    static func run(
        _ options: DeadOptions, ids: Set<String>?, action: DeadLetterAction, verb: String, json: Bool
    ) throws {
        let session = try ClientSession(
            try options.connection.configuration(), needsBroker: true, needsStore: false)
        var settled = 0
        try session.run {
            session.broker?.settleDeadLetters(of: options.queue, ids: ids, action: action) { answer in
                switch answer {
                case .success(let count):
                    settled = count
                    session.finish()
                case .failure(let failure):
                    session.finish(.unavailable(failure))
                }
            }
        }
        if json {
            Console.out(.object([JSONMember(key: "settled", value: .int(Int64(settled)))]))
        } else {
            Console.out("\(settled) dead letters of \(options.queue) \(verb)")
        }
        if let ids, settled < ids.count {
            throw CommandFailure(
                .failure, "\(ids.count - settled) of the ids were not found",
                fix: "list what is there: taskhost dead ls \(options.queue)")
        }
    }
}
