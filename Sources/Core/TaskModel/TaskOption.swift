// What a row of the table in TaskOptions.swift says of one option of tasks, and the types that options may have.

/// What an option may hold.
public enum TaskOptionKind: Sendable, Equatable {
    /// Seconds, 0 or more; fractions allowed.
    case seconds
    case integer(ClosedRange<Int>)
    case flag
    case text
    /// A list of words; in a manifest one text, separated by commas.
    case names
    case choice([String])
}

/// A type that an option may have, and its form between manifests, settings and listings.
public protocol TaskOptionValue: Sendable, Equatable {
    /// nil: not what such an option holds.
    init?(option value: FieldValue)
    var fieldValue: FieldValue { get }
}

/// Its key in `[tasks.NAME]`.
public struct TaskOptionSetting: Sendable, Equatable {
    public var key: String
    /// A sentence for the documentation.
    public var about: String
    /// What holds unless it is set, as the documentation shows it.
    public var shown: String

    public init(_ key: String, _ about: String, shown: String = "bundle's") {
        self.key = key
        self.about = about
        self.shown = shown
    }
}

/// What holds for tasks that do not say otherwise: its key in `[worker]`, which is that of `[tasks.NAME]`.
public struct TaskOptionDefault: Sendable, Equatable {
    /// Celery's name of that setting, as `inspect conf` shows it; nil: Celery has none, so it is not shown.
    public var celery: String?
    public var environment: [String]
    /// A sentence for the documentation.
    public var about: String

    public init(celery: String?, environment: [String] = [], _ about: String) {
        self.celery = celery
        self.environment = environment
        self.about = about
    }
}

/// A row, whatever its type.
public protocol TaskOptionRow: Sendable {
    /// In manifests, and in `bundles --json`.
    var name: String { get }
    /// Of Python's task, as `inspect registered` tells it.
    var attribute: String { get }
    var kind: TaskOptionKind { get }
    /// nil: the operator has no say.
    var setting: TaskOptionSetting? { get }
    /// nil: only bundles and `[tasks.NAME]` set it.
    var worker: TaskOptionDefault? { get }
    /// What holds when it is not set.
    var standardValue: FieldValue { get }

    /// nil: not set.
    func value(in options: TaskOptions) -> FieldValue?
    /// False, and nothing is set: such an option cannot hold it.
    @discardableResult func set(_ value: FieldValue, in options: inout TaskOptions) -> Bool
}

extension TaskOptionRow {
    /// What holds when `defaults` are the operator's; nil: none (of numbers, 0 is none).
    public func standing(in defaults: TaskOptions) -> FieldValue? {
        let value = value(in: defaults) ?? standardValue
        return value == .int(0) || value == .double(0) ? nil : value
    }
}

public struct TaskOption<Value: TaskOptionValue>: TaskOptionRow {
    public let name: String
    public let attribute: String
    public let kind: TaskOptionKind
    public let setting: TaskOptionSetting?
    public let worker: TaskOptionDefault?
    public let field: any WritableKeyPath<TaskOptions, Value?> & Sendable
    /// What holds when it is not set.
    public let standard: Value

    /// - Parameter attribute: nil: as the setting is called, else as the manifest has it.
    public init(
        _ name: String, _ field: any WritableKeyPath<TaskOptions, Value?> & Sendable, _ kind: TaskOptionKind,
        standard: Value, attribute: String? = nil, setting: TaskOptionSetting? = nil, worker: TaskOptionDefault? = nil
    ) {
        self.name = name
        self.attribute = attribute ?? setting?.key ?? name
        self.kind = kind
        self.setting = setting
        self.worker = worker
        self.field = field
        self.standard = standard
    }

    public var standardValue: FieldValue { standard.fieldValue }

    public func value(in options: TaskOptions) -> FieldValue? { options[keyPath: field]?.fieldValue }

    public func set(_ value: FieldValue, in options: inout TaskOptions) -> Bool {
        guard let made = Value(option: value) else { return false }
        options[keyPath: field] = made
        return true
    }
}

extension Double: TaskOptionValue {
    public init?(option value: FieldValue) {
        switch value {
        case .double(let number): self = number
        case .int(let number): self = Double(number)
        default: return nil
        }
    }

    public var fieldValue: FieldValue { .double(self) }
}

extension Int: TaskOptionValue {
    public init?(option value: FieldValue) {
        guard let number = value.integer else { return nil }
        self.init(number)
    }

    public var fieldValue: FieldValue { .int(Int64(self)) }
}

extension Bool: TaskOptionValue {
    public init?(option value: FieldValue) {
        guard case .bool(let flag) = value else { return nil }
        self = flag
    }

    public var fieldValue: FieldValue { .bool(self) }
}

extension String: TaskOptionValue {
    public init?(option value: FieldValue) {
        guard let text = value.text else { return nil }
        self = text
    }

    public var fieldValue: FieldValue { .string(self) }
}

extension FailureNames: TaskOptionValue {
    public init?(option value: FieldValue) {
        switch value {
        case .string(let text): self.init(text)
        case .array(let words): self.init(words.compactMap(\.text))
        default: return nil
        }
    }

    public var fieldValue: FieldValue { .array(names.map(FieldValue.string)) }
}

extension RetryBound: TaskOptionValue {
    /// A number below 0 is "unlimited".
    public init?(option value: FieldValue) {
        switch value {
        case .string("unlimited"): self = .unlimited
        case .int(let count): self = count < 0 ? .unlimited : .atMost(Int(count))
        default: return nil
        }
    }

    public var fieldValue: FieldValue {
        switch self {
        case .atMost(let most): .int(Int64(most))
        case .unlimited: .string("unlimited")
        }
    }
}

extension LimitScope: TaskOptionValue {
    public init?(option value: FieldValue) {
        guard let text = value.text else { return nil }
        self.init(rawValue: text)
    }

    public var fieldValue: FieldValue { .string(rawValue) }
}

public enum LimitScope: String, Sendable, Equatable, CaseIterable {
    /// This worker's.
    case worker
    /// Those of all workers.
    case global
}

public enum RetryBound: Sendable, Equatable {
    case atMost(Int)
    case unlimited
}
