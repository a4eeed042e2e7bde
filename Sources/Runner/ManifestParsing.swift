// The runner's manifest JSON, as values.

internal import TaskModel
internal import TaskhostJSON

extension BundleManifest {
    /// Throws a sentence: what the runner sent is not a manifest of this version.
    init(parsing text: [UInt8]) throws(RunnerFailure) {
        let document: JSON
        do {
            document = try JSON(parsing: text, limits: .trusted)
        } catch {
            throw RunnerFailure("the manifest is not JSON: \(error)")
        }
        guard let name = document["name"]?.text, let tasks = document["tasks"]?.elements else {
            throw RunnerFailure("the manifest lacks name or tasks")
        }
        var entries: [TaskManifest] = []
        for (index, task) in tasks.enumerated() {
            guard let entry = TaskManifest(task, index: index) else {
                throw RunnerFailure("the manifest's task \(index) lacks a name")
            }
            entries.append(entry)
        }
        var schedules: [ScheduleManifest] = []
        for (index, json) in (document["schedules"]?.elements ?? []).enumerated() {
            guard let schedule = ScheduleManifest(json) else {
                throw RunnerFailure("the manifest's schedule \(index) lacks name or task")
            }
            schedules.append(schedule)
        }
        self.init(
            name: name, version: document["version"]?.text ?? "",
            abiMajor: Int(document["abi_major"]?.integer ?? 0), abiMinor: Int(document["abi_minor"]?.integer ?? 0),
            sdk: document["sdk"]?.text ?? "", tasks: entries, schedules: schedules)
    }
}

extension ScheduleManifest {
    fileprivate init?(_ json: JSON) {
        guard let name = json["name"]?.text, let task = json["task"]?.text else { return nil }
        self.init(name: name, task: task)
        cron = json["cron"]?.text
        every = json["every"]?.number
        isRelative = json["relative"]?.boolean ?? false
        timezone = json["timezone"]?.text
        argsJSON = json["args"].map { String(decoding: $0.bytes, as: UTF8.self) }
        kwargsJSON = json["kwargs"].map { String(decoding: $0.bytes, as: UTF8.self) }
        queue = json["queue"]?.text
        missed = json["missed"]?.text
        expires = json["expires"]?.number
        priority = json["priority"]?.integer.map { Int($0) }
    }
}

extension TaskManifest {
    fileprivate init?(_ json: JSON, index: Int) {
        guard let name = json["name"]?.text else { return nil }
        var parameters: [Parameter] = []
        for parameter in json["parameters"]?.elements ?? [] {
            guard let name = parameter["name"]?.text else { return nil }
            parameters.append(
                Parameter(
                    name: name, type: parameter["type"]?.text ?? "json",
                    defaultJSON: parameter["default"].map { String(decoding: $0.bytes, as: UTF8.self) }))
        }
        self.init(
            index: Int(json["index"]?.integer ?? Int64(index)), name: name, parameters: parameters,
            result: json["result"]?.text, options: TaskOptions(json["options"] ?? .null))
    }
}

extension TaskOptions {
    fileprivate init(_ json: JSON) {
        self.init()
        softLimit = json["soft_limit"]?.number
        hardLimit = json["hard_limit"]?.number
        if json["max_retries"]?.text == "unlimited" {
            maxRetries = .unlimited
        } else {
            maxRetries = json["max_retries"]?.integer.map { .atMost(Int($0)) }
        }
        retryDelay = json["retry_delay"]?.number
        retryBackoff = json["retry_backoff"]?.number
        retryBackoffMax = json["retry_backoff_max"]?.number
        retryJitter = json["retry_jitter"]?.boolean
        autoretry = json["autoretry"]?.boolean
        acksLate = json["acks_late"]?.boolean
        acksOnFailure = json["acks_on_failure"]?.boolean
        acksOnTimeout = json["acks_on_timeout"]?.boolean
        rejectOnWorkerLost = json["reject_on_worker_lost"]?.boolean
        trackStarted = json["track_started"]?.boolean
        ignoreResult = json["ignore_result"]?.boolean
        takesFailure = json["takes_failure"]?.boolean
        maxStarts = json["max_starts"]?.integer.map { Int($0) }
        keep = json["keep"]?.integer.map { Int($0) }
        memoryLimit = json["memory_limit"]?.integer.map { Int($0) }
        queue = json["queue"]?.text
        rateLimit = json["rate_limit"]?.text
        maxConcurrent = json["max_concurrent"]?.integer.map { Int($0) }
        limitScope = json["limit_scope"]?.text.flatMap { LimitScope(rawValue: $0) }
        limitKey = json["limit_key"]?.text
        doc = json["doc"]?.text
    }
}
