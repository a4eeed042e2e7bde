import TaskModel

/// A task as one would call it: `tasks.add(x: f64, y: f64 = 0.5) -> f64`.
enum TaskUsage {
    static func line(_ task: TaskManifest) -> String {
        let parameters = task.parameters.map { parameter in
            "\(parameter.name): \(typeName(parameter.type))" + (parameter.defaultJSON.map { " = \($0)" } ?? "")
        }
        return "\(task.name)(\(parameters.joined(separator: ", ")))" + (task.result.map { " -> \(typeName($0))" } ?? "")
    }

    /// The C names say who frees a text, which does not concern callers of the task.
    private static func typeName(_ type: String) -> String {
        type.hasSuffix("_owned") ? String(type.dropLast(6)) : type
    }

    /// What the bundle asks for, in a few words; empty when it asks for nothing.
    static func limits(_ options: TaskOptions) -> String {
        var words: [String] = []
        if let soft = options.softLimit { words.append("soft limit \(soft.plain) s") }
        if let hard = options.hardLimit { words.append("hard limit \(hard.plain) s") }
        switch options.maxRetries {
        case .atMost(let most)?: words.append("at most \(most) retries")
        case .unlimited?: words.append("retries without bound")
        case nil: break
        }
        if let names = options.autoretryFor, !names.names.isEmpty {
            words.append("retried for \(names.names.joined(separator: ", "))")
        } else if options.autoretry == true {
            words.append("retried after failures")
        }
        if let names = options.dontAutoretryFor, !names.names.isEmpty {
            words.append("never for \(names.names.joined(separator: ", "))")
        }
        if options.retryJitter == false { words.append("without jitter") }
        if let most = options.retryBackoffMax { words.append("delays up to \(most.plain) s") }
        if let delay = options.retryDelay { words.append("\(delay.plain) s until a retry") }
        if let backoff = options.retryBackoff, backoff > 0 { words.append("back-off from \(backoff.plain) s") }
        if let keep = options.keep, keep > 0 { words.append("up to \(keep) in a child") }
        if let limit = options.memoryLimit, limit > 0 { words.append("at most \(limit) MiB") }
        if let rate = options.rateLimit { words.append("rate \(rate)") }
        if let most = options.maxConcurrent, most > 0 { words.append("at most \(most) at a time") }
        if let key = options.limitKey { words.append("for each \(key)") }
        if options.limitScope == .global { words.append("counted over all workers") }
        if options.acksLate == false { words.append("acknowledged early") }
        if options.acksOnFailure == false { words.append("dead-lettered when it fails") }
        if options.acksOnTimeout == false { words.append("started again after its hard limit") }
        if options.rejectOnWorkerLost == false { words.append("not started again after a crash") }
        if let most = options.maxStarts { words.append("at most \(most) starts") }
        if options.trackStarted == true { words.append("reports when it starts") }
        if options.takesFailure == true { words.append("takes a failed task's failure") }
        if options.ignoreResult == true { words.append("result ignored") }
        if let queue = options.queue { words.append("queue \(queue)") }
        return words.joined(separator: ", ")
    }
}
