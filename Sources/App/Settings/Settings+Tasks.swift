// `[tasks.NAME]`, and the defaults of tasks in `[worker]`: by the table of task options.
public import TaskModel

/// What `[tasks.NAME]` says in other words than the table of task options.
public struct TaskIsolationKeys: SettingsSection {
    public let isolation = Key<String?>(
        "tasks.*.isolation", .text, default: nil, shown: "as worker.isolation",
        "`keep:N` (as keep = N) or `fresh` (as keep = 0), whatever worker.isolation says")
}

extension Settings {
    public static func tasks(_ rows: [any TaskOptionRow]) -> [Setting] {
        rows.compactMap { row in
            row.setting.map { setting in
                Setting(
                    "tasks.*.\(setting.key)", SettingKind(row.kind), fallback: setting.shown,
                    about: setting.about)
            }
        }
    }

    public static func taskDefaults(_ rows: [any TaskOptionRow]) -> [Setting] {
        rows.compactMap { row in
            guard let setting = row.setting, let worker = row.worker else { return nil }
            return Setting(
                "worker.\(setting.key)", SettingKind(row.kind), environment: worker.environment,
                fallback: row.standing(in: TaskOptions()).map(SettingValue.text(of:)) ?? "none",
                about: worker.about)
        }
    }
}

extension SettingsLayer {
    /// What the operator says of a task in `[tasks.NAME]`.
    public func taskOptions(of name: String, _ rows: [any TaskOptionRow] = TaskOptionTable.rows)
        -> TaskOptions
    {
        var made = TaskOptions()
        for row in rows {
            guard let key = row.setting?.key, let set = self[["tasks", name, key]] else { continue }
            row.set(set.value.fieldValue, in: &made)
        }
        return made
    }

    /// What `[worker]` says for tasks that do not say otherwise. A limit of 0 is none.
    public func taskDefaults(_ rows: [any TaskOptionRow] = TaskOptionTable.rows) -> TaskOptions {
        var made = TaskOptions()
        for row in rows where row.worker != nil {
            guard let key = row.setting?.key, let set = self[["worker", key]] else { continue }
            let value = set.value.fieldValue
            if value != row.standardValue { row.set(value, in: &made) }
        }
        return made
    }
}

extension SettingKind {
    public init(_ kind: TaskOptionKind) {
        switch kind {
        case .seconds: self = .seconds()
        case .integer(let range): self = .integer(range)
        case .flag: self = .flag
        case .text: self = .text
        case .names: self = .texts
        case .choice(let words): self = .choice(words)
        }
    }
}

extension SettingValue {
    /// As the table of task options takes it.
    public var fieldValue: FieldValue {
        switch self {
        case .text(let text): .string(text)
        case .texts(let texts): .array(texts.map(FieldValue.string))
        case .integer(let number): .int(Int64(number))
        case .seconds(let number), .number(let number): .double(number)
        case .flag(let flag): .bool(flag)
        case .arguments(let table): .table(table)
        case .list(let values): .array(values)
        }
    }

    /// As the documentation shows a default.
    public static func text(of value: FieldValue) -> String {
        switch value {
        case .bool(let flag): String(flag)
        case .int(let number): String(number)
        case .double(let number): number.plain
        case .string(let text): text
        case .array(let values): values.map(text(of:)).joined(separator: ", ")
        default: "none"
        }
    }
}
