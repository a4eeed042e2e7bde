// Broadcasts, replies and events as they go through NOTIFY, which carries less than 8,000 bytes of text.
import Ports
import SQLRows
import TaskModel

/// Its number, its channel's name, properties, headers and body, a line each: none of these has an end of line of its own.
struct Letter {
    var channel: String
    var message: WireMessage
    /// Tells it from others of its transaction: PostgreSQL gives out equal ones once.
    var number = 0

    /// What NOTIFY carries, with room for what stands before it.
    private static let longest = 7_900
    private static let whole = "="
    private static let stored = "#"

    init(channel: String, message: WireMessage, number: Int = 0) {
        self.channel = channel
        self.message = message
        self.number = number
    }

    /// nil: it is something else.
    init?(_ text: String) {
        let lines = text.split(separator: "\n", maxSplits: 4, omittingEmptySubsequences: false).map(String.init)
        guard lines.count == 5, let channel = Base64.decode(lines[1]), let body = Base64.decode(lines[4]) else {
            return nil
        }
        self.channel = String(decoding: channel, as: UTF8.self)
        message = FieldJSON.message(properties: lines[2], headers: lines[3], body: body)
    }

    private var text: String {
        [
            "\(number)", Base64.encode([UInt8](channel.utf8)), FieldJSON.text(message.properties),
            FieldJSON.text(message.headers),
            Base64.encode(message.body),
        ].joined(separator: "\n")
    }

    /// Names in the database are short: those of channels are hashed (FNV-1a, 64 bits). The letter names its own.
    static func listened(_ channel: String) -> String {
        let hash = channel.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return "taskhost-\(String(hash, radix: 16))"
    }

    /// One transaction, which does not wait for the disk.
    static func send(_ letters: [Letter]) -> [Statement] {
        [Statement(sql: "SELECT set_config('synchronous_commit', 'off', true)")] + letters.flatMap(\.statements)
    }

    /// What is short goes as it is; what is long by way of the table `broadcast`, where it lies for a minute.
    private var statements: [Statement] {
        let name = Parameter.text(Self.listened(channel))
        let text = text
        guard text.utf8.count > Self.longest else {
            return [Statement(sql: "SELECT pg_notify($1, $2)", parameters: [name, .text(Self.whole + text)])]
        }
        let tidy = "DELETE FROM taskhost.broadcast WHERE sent < clock_timestamp() - interval '1 minute'"
        let sql = """
            WITH made AS (INSERT INTO taskhost.broadcast(letter) VALUES ($2) RETURNING id)
            SELECT pg_notify($1, '\(Self.stored)' || id) FROM made
            """
        return [Statement(sql: tidy), Statement(sql: sql, parameters: [name, .text(text)])]
    }

    enum Payload {
        case letter(Letter)
        /// In the table, by this number.
        case stored(Int64)
    }

    /// nil: somebody else's.
    static func read(_ payload: String) -> Payload? {
        let rest = String(payload.dropFirst())
        if payload.hasPrefix(stored) { return Int64(rest).map(Payload.stored) }
        return payload.hasPrefix(whole) ? Letter(rest).map(Payload.letter) : nil
    }

    static func fetch(_ id: Int64) -> Statement {
        Statement(sql: "SELECT letter FROM taskhost.broadcast WHERE id = $1", parameters: [.long(id)])
    }
}
