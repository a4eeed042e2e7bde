// An event as people read it: one line.
import Linux
import Output
import TaskModel
import TaskhostJSON

enum EventText {
    private static let typeColumns = 16

    /// "19:50:57.439 task-succeeded   w1@host  tasks.add  ID  result=5 runtime=0.004".
    static func line(_ event: JSON, name: String?) -> String {
        let type = event["type"]?.text ?? "?"
        var words = [time(event["timestamp"]), type.padded(to: typeColumns), event["hostname"]?.text ?? "?"]
        if let id = event["uuid"]?.text { words += [name ?? "?", id] }
        let details = self.details(type, event)
        if !details.isEmpty { words.append(details) }
        return Printable.line(words.joined(separator: "  "))
    }

    private static func details(_ type: String, _ event: JSON) -> String {
        switch type {
        case "task-received", "task-sent":
            let call = "args=\(short(event["args"])) kwargs=\(short(event["kwargs"]))"
            return call + field(event, "retries", unless: 0) + field(event, "eta") + field(event, "expires")
        case "task-succeeded":
            let runtime = event["runtime"]?.number.map { " runtime=\(seconds($0))" }
            return "result=\(short(event["result"]))" + (runtime ?? "")
        case "task-failed", "task-retried": return "exception=\(short(event["exception"]))"
        case "task-revoked":
            let why = event["expired"] == true ? ["expired"] : event["terminated"] == true ? ["terminated"] : []
            return (why + (event["signum"]?.integer.map { ["signal=\($0)"] } ?? [])).joined(separator: " ")
        case "task-rejected": return event["requeue"] == true ? "requeued" : ""
        case "worker-online", "worker-heartbeat", "worker-offline":
            let counts = ["active", "processed"].compactMap { key in event[key]?.integer.map { "\(key)=\($0)" } }
            let load = (event["loadavg"]?.elements ?? []).compactMap(\.number).map(\.plain)
            return (counts + (load.isEmpty ? [] : ["load=" + load.joined(separator: ",")])).joined(separator: " ")
        default: return ""
        }
    }

    private static func field(_ event: JSON, _ key: String, unless usual: JSON = nil) -> String {
        guard let value = event[key], !value.isNull, value != usual else { return "" }
        return " \(key)=\(Console.plain(value))"
    }

    private static func short(_ value: JSON?) -> String {
        let text = value.map(Console.plain) ?? "?"
        return text.count > 200 ? text.prefix(199) + "…" : text
    }

    private static func seconds(_ value: Double) -> String { value.text(decimals: 6) + "s" }

    /// As the sender's clock had it, in our zone.
    private static func time(_ stamp: JSON?) -> String {
        guard let stamp = stamp?.number, stamp > 0, stamp < 1e11 else { return "??:??:??.???" }
        return LogTime.clock(WallTime(microseconds: Int64(stamp * 1e6)))
    }
}
