// Commands that change how many tasks run at a time.
import Ports
import TaskhostJSON

extension CommandHandler {
    func growPool(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        try changePool(grows: true, arguments)
    }

    func shrinkPool(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        try changePool(grows: false, arguments)
    }

    private func changePool(
        grows: Bool, _ arguments: CommandArguments
    ) throws(CommandError) -> RemoteCommand.Response {
        let count = try slots("n", arguments, from: 0) ?? 1
        do throws(ControlRefusal) {
            try engine.changeSlots(by: grows ? count : -count)
        } catch {
            let command = grows ? "pool_grow" : "pool_shrink"
            return refusal("\(command) is not supported with autoscale. Adjust autoscale range instead.")
        }
        return ok(grows ? "pool will grow" : "pool will shrink")
    }

    func autoscale(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        try arguments.requireNone(but: ["max", "min"])
        let max = try slots("max", arguments, from: 1)
        // No child to begin with, as Celery may have it, would save nothing here: children are forked when needed.
        let min = try slots("min", arguments, from: 0).map { Swift.max(1, $0) }
        if let max, let min, min > max {
            throw CommandError("ValueError", "min=\(min) is more than max=\(max)")
        }
        do throws(ControlRefusal) {
            let range = try engine.setAutoscale(max: max, min: min)
            return ok("autoscale now max=\(range.max) min=\(range.min)")
        } catch {
            throw CommandError("ValueError", "Autoscale not enabled")
        }
    }

    func restartPool(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        do throws(ControlRefusal) {
            try engine.restartPool()
        } catch {
            throw CommandError("ValueError", "Pool restarts not enabled")
        }
        return ok("reload started")
    }

    /// nil: not given.
    private func slots(_ name: String, _ arguments: CommandArguments, from min: Int) throws(CommandError) -> Int? {
        guard let value = arguments[name], !value.isNull else { return nil }
        let max = SlotRange.bounds.upperBound
        guard let number = value.integer, (Int64(min)...Int64(max)).contains(number) else {
            throw CommandError("ValueError", "\(name) must be a whole number from \(min) to \(max)")
        }
        return Int(number)
    }
}
