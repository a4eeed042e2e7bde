// The runner's manifest JSON, as values.

internal import TaskModel
internal import TaskhostJSON

extension BundleManifest {
    /// Throws a sentence: what the runner sent is not a manifest of this version.
    init(parsing text: [UInt8], options rows: [any TaskOptionRow] = TaskOptionTable.rows) throws(RunnerFailure) {
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
            guard let entry = TaskManifest(task, index: index, rows) else {
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
        hasLastWord = document["last_word"]?.boolean ?? false
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
    fileprivate init?(_ json: JSON, index: Int, _ rows: [any TaskOptionRow]) {
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
            result: json["result"]?.text, options: TaskOptions(json["options"] ?? .null, rows))
    }
}

extension TaskOptions {
    fileprivate init(_ json: JSON, _ rows: [any TaskOptionRow]) {
        self.init()
        for row in rows {
            if let value = json[row.name].flatMap(FieldValue.init(scalar:)) { row.set(value, in: &self) }
        }
    }
}

extension FieldValue {
    /// nil: a list, an object, or null.
    fileprivate init?(scalar json: JSON) {
        if let flag = json.boolean {
            self = .bool(flag)
        } else if let number = json.integer {
            self = .int(number)
        } else if let number = json.number {
            self = .double(number)
        } else if let text = json.text {
            self = .string(text)
        } else {
            return nil
        }
    }
}
