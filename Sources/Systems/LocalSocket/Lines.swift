// What is said over the socket: JSON objects, a line each. docs/remote-control.md describes them.
import TaskhostJSON

enum Lines {
    /// The first line of a host.
    static func greeting(_ facts: HostFacts) -> [UInt8] {
        let line: JSON = [
            "taskhost": .string(facts.version), "node": .string(facts.node), "pid": .int(Int64(facts.pid)),
            "broker": .string(facts.broker),
        ]
        return line.bytes
    }

    /// - Parameter body: JSON.
    static func reply(ticket: JSON, body: [UInt8]) -> [UInt8] {
        Array("{\"ticket\":".utf8) + ticket.bytes + Array(",\"reply\":".utf8) + body + Array("}".utf8)
    }

    /// - Parameter body: an event, or a list of them, as JSON.
    static func events(_ body: [UInt8]) -> [UInt8] { Array("{\"events\":".utf8) + body + Array("}".utf8) }

    /// Monitors ask for a heartbeat when they come, so that they know who is there.
    static let wantsHeartbeat = Array("{\"method\":\"heartbeat\"}".utf8)
    static let wantsEvents = Array("{\"events\":true}".utf8)

    static func parse(_ line: [UInt8], limits: JSONLimits) -> JSON? {
        do throws(JSONError) {
            return try JSON(parsing: line, limits: limits)
        } catch {
            return nil
        }
    }
}

/// How a host introduces itself.
public struct HostFacts: Sendable, Equatable {
    public var version: String
    public var node: String
    public var pid: Int32
    /// Without secrets.
    public var broker: String

    public init(version: String, node: String, pid: Int32, broker: String) {
        self.version = version
        self.node = node
        self.pid = pid
        self.broker = broker
    }

    init?(_ line: JSON) {
        guard let version = line["taskhost"]?.text, let node = line["node"]?.text, let pid = line["pid"]?.integer else {
            return nil
        }
        self.init(
            version: version, node: node, pid: Int32(clamping: pid), broker: line["broker"]?.text ?? "")
    }
}
