// Revocations and paused queues between runs: read at the start, written when they change, beside the loop.
import Engine
import Logging
import Loop
import Output
import Ports

final class StateKeeper {
    /// Seconds after a write in which what changes waits for the next one: many changes in a row cost few writes.
    private static let pause = 0.5
    private static let retryPause = 10.0
    /// Seconds that a write under way gets when the worker ends.
    private static let patience = 10.0

    private let file: StateFile
    private let engine: Engine
    private let loop: EpollLoop
    private let log: Logger
    private var timer: (any LoopTimer)?
    private var isWriting = false
    private var isOwed = false
    /// Who waits for the write under way.
    private var waiting: [() -> Void] = []

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
            if timer == nil, !isWriting { write() }
        }
        engine.keeper = { [unowned self] done in
            if isWriting { waiting.append(done) } else { done() }
        }
    }

    /// What is still owed is written now.
    func close() {
        timer?.cancel()
        // Two at a time would write into the same new file.
        loop.run(until: { !isWriting }, timeoutSeconds: Self.patience)
        timer?.cancel()
        guard isOwed, !isWriting else { return }
        do {
            try file.write(engine.memory)
        } catch {
            complain(error)
        }
    }

    /// Tens of thousands of ids are some megabytes, and the disk may be slow.
    private func write() {
        isOwed = false
        isWriting = true
        let memory = engine.memory
        loop.beside { [file] () -> CommandFailure? in
            do throws(CommandFailure) {
                try file.write(memory)
                return nil
            } catch {
                return error
            }
        } done: { [weak self] in
            self?.written($0)
        }
    }

    private func written(_ failure: CommandFailure?) {
        isWriting = false
        if let failure {
            isOwed = true
            complain(failure)
        }
        timer = loop.schedule(afterSeconds: failure == nil ? Self.pause : Self.retryPause) { [unowned self] in
            timer = nil
            if isOwed { write() }
        }
        let written = waiting
        waiting = []
        for done in written { done() }
    }

    private func complain(_ failure: CommandFailure) {
        log.error("Revocations and paused queues would not survive a restart: \(failure)")
    }
}
