// Chords whose parts the result store cannot count: a task looks at the results instead (celery-protocol.md §4.10).
import TaskhostJSON

extension Canvas {
    /// The call that takes the place of an announcement.
    public func unlocking(_ chord: ChordAnnouncement) -> CanvasCall {
        var options: JSONMap = ["countdown": 1, "ignore_result": true]
        for name in ["queue", "priority", "exchange", "routing_key"] {
            if let value = chord.body.options.given(name) { options[name] = value }
        }
        let kwargs: JSONMap = ["interval": nil, "max_retries": nil, "result": .array(chord.results)]
        let signature = SignatureTree(
            "celery.chord_unlock", args: [.string(chord.groupID), chord.body.json], kwargs: kwargs, options: options)
        var call = CanvasCall(signature, id: context.makeID(), context)
        // To where the body goes.
        call.taskName = chord.body.task
        return call
    }

    /// `effects`, for a store that keeps results and counts no parts.
    public var effectsWithoutCounting: [CanvasEffect] {
        effects.map { effect in
            if case .announce(let chord) = effect { .publish(unlocking(chord)) } else { effect }
        }
    }
}
