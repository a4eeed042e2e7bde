// From a signature to what must be sent for it.
public import Canvas
public import TaskhostJSON

/// Ids are made here, so that results can be followed before anything is sent.
public struct SendingPlan: Sendable {
    let effects: [CanvasEffect]
    /// For stores that keep results and join no chords.
    let effectsWithoutCounting: [CanvasEffect]
    /// The result-to-be as a tuple (celery-protocol.md §4.3); nil: nothing is called.
    public let result: JSON?

    /// The id of the last task, or of a group at the end.
    public var taskID: String? { result?.elements?.first?.elements?.first?.text }

    public init(_ signature: JSON, _ context: CanvasContext) throws(CanvasError) {
        var canvas = Canvas(context)
        result = try canvas.apply(try SignatureTree(signature))?.json
        effects = canvas.effects
        effectsWithoutCounting = canvas.effectsWithoutCounting
    }
}
