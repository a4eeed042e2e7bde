// Revocations and paused queues between runs: read at the start, written when they change.
import Engine
import Logging
import Loop
import Ports

final class StateKeeper {
    /// Seconds after a write in which what changes waits for the next one: many changes in a row cost few writes.
    private static let pause = 0.5
    private static let retryPause = 10.0

    private let file: StateFile
    private let engine: Engine
    private let loop: EpollLoop
    private let log: Logger
    private var timer: (any LoopTimer)?
    private var isOwed = false

    /// A place that cannot be written is found out here, not when the first change is to be kept.
    init(path: String, engine: Engine, loop: EpollLoop, log: Logger) throws(CommandFailure) {
        file = StateFile(path: path)
        self.engine = engine
        self.loop = loop
        self.log = log
        if let memory = try file.read() { engine.remember(memory) }
        try file.write(engine.memory)
        engine.onMemoryChange = { [unowned self] in
            isOwed = true
            if timer == nil { write() }
        }
    }

    /// What is still owed is written now.
    func close() {
        timer?.cancel()
        if isOwed { write() }
        timer?.cancel()
    }

    private func write() {
        var pause = Self.pause
        do {
            try file.write(engine.memory)
            isOwed = false
        } catch {
            log.error("Revocations and paused queues would not survive a restart: \(error)")
            pause = Self.retryPause
        }
        timer = loop.schedule(afterSeconds: pause) { [unowned self] in
            timer = nil
            if isOwed { write() }
        }
    }
}
