import TaskModel

/// A task as one would call it: `tasks.add(x: f64, y: f64 = 0.5) -> f64`.
enum TaskUsage {
    static func line(_ task: TaskManifest) -> String {
        let parameters = task.parameters.map { parameter in
            "\(parameter.name): \(parameter.type)" + (parameter.defaultJSON.map { " = \($0)" } ?? "")
        }
        return "\(task.name)(\(parameters.joined(separator: ", ")))" + (task.result.map { " -> \($0)" } ?? "")
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
        if let backoff = options.retryBackoff, backoff > 0 { words.append("back-off from \(backoff.plain) s") }
        if let keep = options.keep, keep > 0 { words.append("up to \(keep) in a child") }
        if let limit = options.memoryLimit, limit > 0 { words.append("at most \(limit) MiB") }
        if let rate = options.rateLimit { words.append("rate \(rate)") }
        if let most = options.maxConcurrent, most > 0 { words.append("at most \(most) at a time") }
        if let key = options.limitKey { words.append("for each \(key)") }
        if options.limitScope == .global { words.append("counted over all workers") }
        if options.acksLate == false { words.append("acknowledged early") }
        if options.ignoreResult == true { words.append("result ignored") }
        if let queue = options.queue { words.append("queue \(queue)") }
        return words.joined(separator: ", ")
    }
}
