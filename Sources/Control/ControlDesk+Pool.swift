// Commands that change how many tasks run at a time.
import Ports
import TaskhostJSON

extension ControlDesk {
    func changePool(grows: Bool, _ arguments: CommandArguments) throws(CommandError) -> JSON {
        let count = try slots("n", arguments, from: 0) ?? 1
        do throws(ControlRefusal) {
            try engine.changeSlots(by: grows ? count : -count)
        } catch {
            let command = grows ? "pool_grow" : "pool_shrink"
            return refusal("\(command) is not supported with autoscale. Adjust autoscale range instead.")
        }
        return ok(grows ? "pool will grow" : "pool will shrink")
    }

    func autoscale(_ arguments: CommandArguments) throws(CommandError) -> JSON {
        try arguments.requireNone(but: ["max", "min"])
        let most = try slots("max", arguments, from: 1)
        // Nobody to begin with, as Celery may have it, would save nothing here: children are forked when needed.
        let least = try slots("min", arguments, from: 0).map { max(1, $0) }
        if let most, let least, least > most {
            throw CommandError("ValueError", "min=\(least) is more than max=\(most)")
        }
        do throws(ControlRefusal) {
            let range = try engine.setAutoscale(most: most, least: least)
            return ok("autoscale now max=\(range.most) min=\(range.least)")
        } catch {
            throw CommandError("ValueError", "Autoscale not enabled")
        }
    }

    func restartPool() throws(CommandError) -> JSON {
        do throws(ControlRefusal) {
            try engine.restartPool()
        } catch {
            throw CommandError("ValueError", "Pool restarts not enabled")
        }
        return ok("reload started")
    }

    /// nil: not given.
    private func slots(_ name: String, _ arguments: CommandArguments, from least: Int) throws(CommandError) -> Int? {
        guard let value = arguments[name], !value.isNull else { return nil }
        let most = SlotRange.bounds.upperBound
        guard let number = value.integer, (Int64(least)...Int64(most)).contains(number) else {
            throw CommandError("ValueError", "\(name) must be a whole number from \(least) to \(most)")
        }
        return Int(number)
    }
}
