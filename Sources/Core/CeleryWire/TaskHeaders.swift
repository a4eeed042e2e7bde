// Header values to the fields of a `TaskMessage` (celery-protocol.md §1.3).
import TaskModel

extension TaskMessage {
    /// Takes over one header; unknown ones are left alone. Grouped by length, since comparing twenty names with
    /// twenty others would cost more than all the rest of decoding.
    mutating func take(_ key: String, _ value: FieldValue) throws(WireError) {
        switch key.utf8.count {
        case 2: if key == "id" { id = try Self.text(value, key) ?? "" }
        case 3: if key == "eta" { (etaText, eta) = try Self.time(value, key) }
        case 4: if key == "task" { name = try Self.text(value, key) ?? "" }
        case 5: if key == "group" { groupID = try Self.text(value, key) }
        case 6:
            if key == "shadow" {
                shadow = try Self.shown(value, key)
            } else if key == "origin" {
                origin = try Self.shown(value, key)
            } else if key == "stamps" {
                stamps = try Self.table(value, key)
            }
        case 7:
            if key == "expires" {
                (expiresText, expires) = try Self.time(value, key)
            } else if key == "retries" {
                retries = try Self.count(value, key) ?? 0
            } else if key == "root_id" {
                rootID = try Self.text(value, key)
            }
        case 8: if key == "argsrepr" { argsRepr = try Self.shown(value, key) ?? "" }
        case 9:
            if key == "parent_id" {
                parentID = try Self.text(value, key)
            } else if key == "timelimit" {
                (hardLimit, softLimit) = try Self.limits(value, key)
            }
        case 10: if key == "kwargsrepr" { kwargsRepr = try Self.shown(value, key) ?? "" }
        case 11:
            if key == "group_index" {
                groupIndex = try Self.count(value, key)
            } else if key == HeaderName.compression, let method = try Self.text(value, key), !method.isEmpty {
                compression = Compression.named(method)
                guard compression != nil else {
                    throw WireError(
                        .compressed,
                        "the body is compressed by \(quoted(method)), which is not read; "
                            + "use zlib, bzip2, lzma, brotli or zstd")
                }
            }
        case 13: if key == "ignore_result" { ignoreResult = try Self.flag(value, key) }
        case 15:
            if key == "stamped_headers" {
                stampedHeaders = try Self.names(value, key)
            } else if key == OwnHeaders.starts {
                priorStarts = try Self.count(value, key) ?? 0
            }
        case 18: if key == OwnHeaders.postponed { wasTold = value.text == "received" }
        case OwnHeaders.adapterError.utf8.count where key == OwnHeaders.adapterError:
            throw WireError(.malformedHeader, "headers: \(quoted(value.text ?? "unreadable"))")
        case 21: if key == "replaced_task_nesting" { replacedTaskNesting = try Self.count(value, key) ?? 0 }
        default: break
        }
    }

    private static func malformed(_ key: String, _ expected: String) -> WireError {
        WireError(.malformedHeader, "header '\(key)' is not \(expected)")
    }

    private static func text(_ value: FieldValue, _ key: String) throws(WireError) -> String? {
        if case .string(let text) = value { return text }
        if case .null = value { return nil }
        guard let text = value.text else { throw malformed(key, "a text") }
        return text
    }

    /// A text that is shown to people and means nothing else. Python's clients write what is no Unicode into it (names of
    /// files as `os.fsdecode` gives them), which arrives as bytes.
    private static func shown(_ value: FieldValue, _ key: String) throws(WireError) -> String? {
        if case .bytes(let bytes) = value { return String(decoding: bytes, as: UTF8.self) }
        return try text(value, key)
    }

    private static func count(_ value: FieldValue, _ key: String) throws(WireError) -> Int? {
        if case .null = value { return nil }
        guard case .int(let number) = value, 0...Int64(Int32.max) ~= number else {
            throw malformed(key, "a whole number from 0 to 2147483647")
        }
        return Int(number)
    }

    private static func flag(_ value: FieldValue, _ key: String) throws(WireError) -> Bool? {
        switch value {
        case .null: return nil
        case .bool(let flag): return flag
        case .int(let number): return number != 0
        default: throw malformed(key, "true or false")
        }
    }

    private static func time(_ value: FieldValue, _ key: String) throws(WireError) -> (String?, WallTime?) {
        switch value {
        case .null: return (nil, nil)
        case .timestamp(let seconds):
            let time = WallTime(secondsSince1970: Double(seconds))
            return (ISO8601.format(time), time)
        default:
            guard let text = value.text else { throw WireError(.badTime, "header '\(key)' is not a time") }
            // As in Python, the empty text means no time.
            if text.isEmpty { return (nil, nil) }
            guard let time = ISO8601.parse(text) else {
                throw WireError(.badTime, "header '\(key)' is not an ISO 8601 time: \(quoted(text))")
            }
            return (text, time)
        }
    }

    private static func limits(_ value: FieldValue, _ key: String) throws(WireError) -> (Double?, Double?) {
        if case .null = value { return (nil, nil) }
        guard case .array(let pair) = value, pair.count <= 2 else { throw malformed(key, "a pair [hard, soft]") }
        let hard = pair.count > 0 ? try seconds(pair[0], key) : nil
        return (hard, pair.count > 1 ? try seconds(pair[1], key) : nil)
    }

    private static func seconds(_ value: FieldValue, _ key: String) throws(WireError) -> Double? {
        let seconds: Double
        switch value {
        case .null: return nil
        case .int(let number): seconds = Double(number)
        case .double(let number): seconds = number
        default: throw malformed(key, "a pair of seconds")
        }
        guard seconds.isFinite, seconds >= 0 else { throw malformed(key, "a pair of seconds ≥ 0") }
        return seconds > 0 ? seconds : nil
    }

    private static func names(_ value: FieldValue, _ key: String) throws(WireError) -> [String]? {
        if case .null = value { return nil }
        guard case .array(let elements) = value else { throw malformed(key, "a list of names") }
        var names: [String] = []
        for element in elements {
            guard let name = element.text else { throw malformed(key, "a list of names") }
            names.append(name)
        }
        return names
    }

    private static func table(_ value: FieldValue, _ key: String) throws(WireError) -> FieldTable {
        if case .null = value { return [:] }
        guard case .table(let table) = value else { throw malformed(key, "a table") }
        return table
    }
}

/// Headers of Celery's that more than one file reads.
enum HeaderName {
    static let compression = "compression"
}
