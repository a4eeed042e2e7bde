// A TOML document as values.
import CTOML

/// A value of a document.
indirect enum TOMLValue {
    case text(String)
    case integer(Int64)
    case number(Double)
    case flag(Bool)
    /// A date, a time, or both: no setting has such a value.
    case time
    case array([TOMLValue])
    case table(TOMLTable)
}

/// By the order of its keys, each of which is there once.
typealias TOMLTable = [(key: String, value: TOMLValue)]

/// What makes a text no TOML, and where.
struct TOMLError: Error {
    let reason: String
    /// Both counted from 1.
    let line: Int
    let column: Int
}

enum TOMLDocument {
    static func parse(_ text: String) throws(TOMLError) -> TOMLTable {
        var text = text
        let builder = Builder()
        var error = ctoml_error()
        let isTOML = text.withUTF8 { bytes in
            ctoml_parse(
                UnsafeRawPointer(bytes.baseAddress)?.assumingMemoryBound(to: CChar.self), bytes.count,
                { context, item in
                    guard let context, let item else { return }
                    Unmanaged<Builder>.fromOpaque(context).takeUnretainedValue().take(item.pointee)
                }, Unmanaged.passUnretained(builder).toOpaque(), &error)
        }
        guard isTOML else {
            let reason = withUnsafeBytes(of: error.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            throw TOMLError(reason: reason, line: Int(error.line), column: Int(error.column))
        }
        return builder.document
    }

    /// Puts together what comes item by item.
    private final class Builder {
        private struct Open {
            let key: String?
            let isTable: Bool
            var values: TOMLTable = []
        }

        private(set) var document: TOMLTable = []
        private var open: [Open] = []

        func take(_ item: ctoml_item) {
            switch item.kind {
            case CTOML_TABLE: open.append(Open(key: key(item), isTable: true))
            case CTOML_ARRAY: open.append(Open(key: key(item), isTable: false))
            case CTOML_END: close()
            case CTOML_TEXT: add(key(item), .text(Self.text(item.text, item.text_length)))
            case CTOML_INTEGER: add(key(item), .integer(item.integer))
            case CTOML_NUMBER: add(key(item), .number(item.number))
            case CTOML_FLAG: add(key(item), .flag(item.integer != 0))
            default: add(key(item), .time)
            }
        }

        private func close() {
            guard let closed = open.popLast() else { return }
            if open.isEmpty {
                document = closed.values
            } else {
                add(closed.key, closed.isTable ? .table(closed.values) : .array(closed.values.map(\.value)))
            }
        }

        private func add(_ key: String?, _ value: TOMLValue) { open[open.count - 1].values.append((key ?? "", value)) }

        private func key(_ item: ctoml_item) -> String? { item.key.map { Self.text($0, item.key_length) } }

        private static func text(_ start: UnsafePointer<CChar>?, _ length: Int) -> String {
            String(decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
        }
    }
}
