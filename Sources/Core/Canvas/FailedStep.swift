// What will never run because something before it failed (celery-protocol.md §3.13, §4.5): its waiting clients get a
// failure.
public import TaskhostJSON

/// A task, or a group as a whole, that will never run.
public struct FailedStep: Sendable, Equatable {
    public var taskID: String
    public var task: String
    public var args: JSON
    public var kwargs: JSON
    public var groupID: String?
    public var groupIndex: Int?
    public var parentID: String?
    public var replyTo: String?
    /// The body of the chord whose member it would have been: that chord still counts on its part.
    public var chord: JSON?

    /// All of a chain, whose next step is the last one.
    public static func all(of chain: [JSON]) -> [FailedStep] {
        var collection = FailedSteps()
        for step in chain { collection.take(step, reportingTo: nil, group: nil) }
        return collection.steps
    }

    /// All of one signature. Those of them that have a chord are as many as `SignatureTree.size` counts.
    public static func all(of signature: JSON) -> [FailedStep] { all(of: [signature]) }
}

private struct FailedSteps {
    var steps: [FailedStep] = []

    /// - Parameters:
    ///   - chord: of what it is a part of, and passes on to the task that gives its result.
    ///   - group: the same.
    mutating func take(_ signature: JSON, reportingTo chord: JSON?, group: String?) {
        let options = JSONMap(signature["options"]?.members ?? [])
        let chord = options.given("chord") ?? chord
        let group = options.text("group_id") ?? group
        switch signature["subtask_type"]?.text {
        case "group":
            // Known as a whole, too, but it is its members that report.
            add(signature, options, group, chord: nil)
            for member in signature["kwargs"]?["tasks"]?.elements ?? [] {
                take(member, reportingTo: chord, group: group)
            }
        case "chord":
            add(signature, options, group, chord: nil)
            // Its header's tasks are waited for by its body alone.
            if let body = signature["kwargs"]?["body"], !body.isNull { take(body, reportingTo: chord, group: group) }
        case "chain":
            let tasks = signature["kwargs"]?["tasks"]?.elements ?? []
            for task in tasks.dropLast() { take(task, reportingTo: nil, group: nil) }
            if let last = tasks.last { take(last, reportingTo: chord, group: group) }
        default: add(signature, options, group, chord: chord)
        }
    }

    private mutating func add(_ signature: JSON, _ options: JSONMap, _ group: String?, chord: JSON?) {
        guard let id = options.text("task_id") else { return }
        steps.append(
            FailedStep(
                taskID: id, task: signature["task"]?.text ?? "", args: signature["args"] ?? [],
                kwargs: signature["kwargs"] ?? .object([]), groupID: group,
                groupIndex: options.given("group_index")?.integer.map { Int(clamping: $0) },
                parentID: options.text("parent_id"), replyTo: options.text("reply_to"), chord: chord))
    }
}
