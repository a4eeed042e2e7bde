// The bounds on header tables.
import TaskModel

/// Counts what a header table holds, and throws at the first bound it breaks.
struct HeaderBounds {
    private let limits: WireLimits
    private var fields = 0
    private var bytes = 0

    static func check(_ table: FieldTable, _ limits: WireLimits) throws(WireError) {
        var bounds = HeaderBounds(limits: limits)
        try bounds.count(table, depth: 1)
    }

    private init(limits: WireLimits) { self.limits = limits }

    private mutating func count(_ table: FieldTable, depth: Int) throws(WireError) {
        // By index: a copy of each field would cost as much as all the rest.
        for index in table.fields.indices {
            bytes += table.fields[index].key.utf8.count
            switch table.fields[index].value {
            case .null, .bool, .int, .double, .timestamp: fields += 1
            case .string(let text):
                fields += 1
                bytes += text.utf8.count
            case .bytes, .array, .table: try count(table.fields[index].value, depth: depth)
            }
        }
        try checkCounts()
    }

    private mutating func count(_ value: FieldValue, depth: Int) throws(WireError) {
        fields += 1
        switch value {
        case .string(let text): bytes += text.utf8.count
        case .bytes(let raw): bytes += raw.count
        case .array(let elements):
            try enter(depth)
            for element in elements { try count(element, depth: depth + 1) }
        case .table(let table):
            try enter(depth)
            try count(table, depth: depth + 1)
        case .null, .bool, .int, .double, .timestamp: break
        }
        try checkCounts()
    }

    private func checkCounts() throws(WireError) {
        guard fields <= limits.maxHeaderFields else {
            throw WireError(.tooManyValues, "more than \(limits.maxHeaderFields) header values (max_header_fields)")
        }
        guard bytes <= limits.maxHeaderBytes else {
            throw WireError(.tooLarge, "headers of more than \(limits.maxHeaderBytes) bytes (max_header_bytes)")
        }
    }

    private func enter(_ depth: Int) throws(WireError) {
        guard depth < limits.maxHeaderDepth else {
            throw WireError(.tooDeep, "headers nested more than \(limits.maxHeaderDepth) deep (max_header_depth)")
        }
    }
}
