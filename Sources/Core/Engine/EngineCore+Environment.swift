// What the core is given from outside: where it looks things up, what broker and store can do, and what time it is.
import CeleryWire
import Ports
import TaskModel

extension EngineCore {
    /// Where the core looks things up; pure answers for the duration of one event.
    struct Catalog {
        var task: (String) -> TaskManifest?
        /// Where runs of the task of this name may go on top of the free slots.
        var pipeline: (String) -> PipelineRoom
        /// Of the names that there are, the one that is most like it.
        var nearest: (String) -> String? = { _ in nil }
    }

    struct Environment {
        let catalog: Catalog
        let decoder: MessageDecoder
        let hasStore: Bool
        /// Whether what is stored can be read again.
        let keepsResults: Bool
        /// Whether the store counts the parts of chords.
        let joinsChords: Bool
        /// Whether log lines about single tasks are wanted: making them costs more than running a small task.
        let notesTasks: Bool
        /// Names what is published here.
        let makeID: () -> String
        /// What counts starts beyond the life of this process.
        private(set) var startCounting = StartCounting.none
        /// Whether the broker reports that a message has been delivered to another host since.
        private(set) var fencesClaims = false
        /// Whether anything observes tasks: without observers no event is made.
        private(set) var isWatched = false
        /// When the event under way happened.
        private(set) var now = Clocks(
            monotonic: Instant(nanoseconds: 0), wall: WallTime(microseconds: 0))

        init(
            catalog: Catalog, decoder: MessageDecoder, hasStore: Bool, keepsResults: Bool, joinsChords: Bool,
            notesTasks: Bool, makeID: @escaping () -> String
        ) {
            self.catalog = catalog
            self.decoder = decoder
            self.hasStore = hasStore
            self.keepsResults = keepsResults
            self.joinsChords = joinsChords
            self.notesTasks = notesTasks
            self.makeID = makeID
        }

        mutating func advance(to clocks: Clocks) { now = clocks }

        mutating func watch(_ isWatched: Bool) { self.isWatched = isWatched }

        mutating func guardStarts(by counting: StartCounting, fencesClaims: Bool) {
            startCounting = counting
            self.fencesClaims = fencesClaims
        }
    }

    var catalog: Catalog { environment.catalog }
    var decoder: MessageDecoder { environment.decoder }
    var hasStore: Bool { environment.hasStore }
    var keepsResults: Bool { environment.keepsResults }
    var joinsChords: Bool { environment.joinsChords }
    var notesTasks: Bool { environment.notesTasks }
    var startCounting: StartCounting { environment.startCounting }
    var fencesClaims: Bool { environment.fencesClaims }
    var isWatched: Bool { environment.isWatched }
    var now: Clocks { environment.now }
    func makeID() -> String { environment.makeID() }

    /// Set by the driver before the first event, and whenever observers come or go.
    mutating func watch(_ isWatched: Bool) { environment.watch(isWatched) }

    /// Set by the driver before the first event: what the broker and the store know of earlier starts.
    mutating func guardStarts(by counting: StartCounting, fencesClaims: Bool) {
        environment.guardStarts(by: counting, fencesClaims: fencesClaims)
    }
}
