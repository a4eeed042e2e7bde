import Logging
import TaskhostJSON

/// A line for machines: one JSON object with time, level, message and a key for each piece of metadata.
struct JSONLog: LogHandler {
    var logLevel: Logger.Level = .info
    var metadata: Logger.Metadata = [:]
    let sink: LogSink

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var members = [
            JSONMember(key: "time", value: .string(LogTime.iso())),
            JSONMember(key: "level", value: .string(event.level.rawValue)),
            JSONMember(key: "message", value: .string(LogText.bounded(event.message.description))),
        ]
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            members.append(JSONMember(key: key, value: json(value)))
        }
        var bytes: [UInt8] = []
        JSON.object(members).write(into: &bytes)
        sink.write(String(decoding: bytes, as: UTF8.self) + "\n")
    }

    /// Written by the sink itself when a reader has not kept up.
    static func lossLine(_ count: Int) -> String {
        var bytes: [UInt8] = []
        let line: JSON = [
            "time": .string(LogTime.iso()), "level": "warning",
            "message": .string("\(count) log lines were lost: the reader of the log did not keep up"),
            "event": "log-lost", "lines": .int(Int64(count)),
        ]
        line.write(into: &bytes)
        return String(decoding: bytes, as: UTF8.self) + "\n"
    }

    private func json(_ value: Logger.Metadata.Value) -> JSON {
        switch value {
        case .string(let text): .string(LogText.bounded(text))
        case .stringConvertible(let value as Int): .int(Int64(value))
        case .stringConvertible(let value as Int32): .int(Int64(value))
        case .stringConvertible(let value as Double): .double(value)
        case .stringConvertible(let value as Bool): .bool(value)
        case .stringConvertible(let value): .string(LogText.bounded(value.description))
        case .array(let values): .array(values.map(json))
        case .dictionary(let values):
            .object(values.sorted { $0.key < $1.key }.map { JSONMember(key: $0.key, value: json($0.value)) })
        }
    }
}
