// A task's description in the C ABI's form.

import Glibc

extension TaskEntry {
    /// The host copies everything but the entry itself, which lives on. Returns 0 or the host's number.
    func register(with host: UnsafePointer<taskhost_host>) -> Int32 {
        var texts = CTexts()
        var options = cOptions(&texts)
        return withUnsafePointer(to: &options) { options in
            var task = taskhost_task()
            task.size = UInt32(MemoryLayout<taskhost_task>.size)
            task.name = texts.add(name)
            task.signature = texts.add(signature)
            task.options = options
            task.user = Unmanaged.passRetained(Registered(entry: self, host: host)).toOpaque()
            task.handler = { task, user in
                guard let task, let user else { return }
                let registered = Unmanaged<Registered>.fromOpaque(user).takeUnretainedValue()
                registered.entry.run(HostLink(task: task, host: registered.host))
            }
            return host.pointee.add(&task)
        }
    }

    /// After all tasks of the bundle.
    func registerSchedules(with host: UnsafePointer<taskhost_host>) -> Int32 {
        for schedule in options.schedules {
            var texts = CTexts()
            var made = taskhost_schedule()
            made.size = UInt32(MemoryLayout<taskhost_schedule>.size)
            made.name = texts.add(schedule.name)
            made.task = texts.add(name)
            made.cron = texts.add(schedule.cron)
            made.every = schedule.every?.inSeconds ?? 0
            made.relative = schedule.isRelative ? Int32(TASKHOST_YES) : 0
            made.timezone = texts.add(schedule.timezone)
            made.args = texts.add(String(decoding: JSON.array(schedule.args).bytes, as: UTF8.self))
            let kwargs = schedule.kwargs.sorted { $0.key < $1.key }.map { JSONMember(key: $0.key, value: $0.value) }
            made.kwargs = texts.add(String(decoding: JSON.object(kwargs).bytes, as: UTF8.self))
            made.queue = texts.add(schedule.queue)
            made.missed = texts.add(schedule.missed?.rawValue)
            made.expires = schedule.expires?.inSeconds ?? 0
            made.priority = Int32(clamping: schedule.priority)
            let refusal = host.pointee.schedule(&made)
            guard refusal == 0 else { return refusal }
        }
        return 0
    }

    private func cOptions(_ texts: inout CTexts) -> taskhost_options {
        var result = taskhost_options()
        result.size = UInt32(MemoryLayout<taskhost_options>.size)
        result.name = texts.add(name)
        result.soft_limit = options.softLimit?.inSeconds ?? 0
        result.hard_limit = options.hardLimit?.inSeconds ?? 0
        result.acks_late = threeValued(options.acksLate)
        result.acks_on_failure = threeValued(options.acksOnFailure)
        result.acks_on_timeout = threeValued(options.acksOnTimeout)
        result.reject_on_worker_lost = threeValued(options.rejectOnWorkerLost)
        result.track_started = threeValued(options.trackStarted)
        result.ignore_result = threeValued(options.ignoreResult)
        result.store_errors_even_if_ignored = threeValued(options.storeErrorsEvenIfIgnored)
        result.takes_failure = threeValued(options.takesFailure)
        result.max_starts = Int32(clamping: options.maxStarts ?? 0)
        result.keep = Int32(clamping: options.keep ?? 0)
        result.memory_limit = Int32(clamping: options.memoryLimit ?? 0)
        result.max_concurrent = Int32(clamping: options.maxConcurrent ?? 0)
        result.limit_scope = texts.add(options.limitScope?.rawValue)
        result.limit_key = texts.add(options.limitKey)
        result.queue = texts.add(options.queue)
        result.rate_limit = texts.add(options.rateLimit)
        result.doc = texts.add(options.doc)
        if let retry = options.retry {
            result.max_retries =
                switch retry.bound {
                case .never: Int32(TASKHOST_NEVER)
                case .atMost(let times): Int32(clamping: times)
                case .unlimited: Int32.max
                }
            result.retry_delay = retry.delay?.inSeconds ?? 0
            result.retry_backoff = retry.backoff?.inSeconds ?? 0
            result.retry_backoff_max = retry.longest?.inSeconds ?? 0
            result.retry_jitter = threeValued(retry.jitter)
            result.autoretry = retry.automaticallyFor?.isEmpty == false ? Int32(TASKHOST_YES) : 0
            result.autoretry_for = texts.add(retry.automaticallyFor?.joined(separator: ","))
            result.dont_autoretry_for = retry.neverFor.isEmpty ? nil : texts.add(retry.neverFor.joined(separator: ","))
        }
        return result
    }

    private func threeValued(_ value: Bool?) -> Int32 {
        switch value {
        case nil: 0
        case true?: Int32(TASKHOST_YES)
        case false?: Int32(TASKHOST_NO)
        }
    }
}

/// An entry and the table it reports to, which stays valid for the process's life.
private final class Registered {
    let entry: TaskEntry
    let host: UnsafePointer<taskhost_host>

    init(entry: TaskEntry, host: UnsafePointer<taskhost_host>) {
        self.entry = entry
        self.host = host
    }
}

/// C strings that live until the value goes.
private struct CTexts: ~Copyable {
    private var texts: [UnsafeMutablePointer<CChar>] = []

    mutating func add(_ text: String?) -> UnsafePointer<CChar>? {
        guard let text, let copy = strdup(text) else { return nil }
        texts.append(copy)
        return UnsafePointer(copy)
    }

    deinit {
        for text in texts { free(text) }
    }
}

/// For mistakes of the bundle's author that the host has no words for: it passes a zygote's standard error on.
func complain(_ text: String) {
    var line = "taskhost: " + text + "\n"
    line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
