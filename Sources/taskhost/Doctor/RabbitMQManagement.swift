// Policies and clock as RabbitMQ's management API tells them (`broker.management_url`).
import CHTTP
import RabbitMQ
import TaskhostJSON

struct RabbitMQManagement {
    /// "http://guest:guest@localhost:15672"
    let url: String
    let vhost: String

    private static let patience = 10_000
    private static let room = 1 << 20

    /// By queue; those it does not know are left out.
    func policies(of queues: [String]) throws(PolicyFailure) -> [String: RabbitMQPolicy] {
        var policies: [String: RabbitMQPolicy] = [:]
        for queue in queues {
            guard let facts = try get("/api/queues/\(Self.encoded(vhost))/\(Self.encoded(queue))") else { continue }
            let definition = facts["effective_policy_definition"]
            // What only says that there is none is an empty list.
            let names = [facts["policy"]?.text, facts["operator_policy"]?.text].compactMap { $0 }
            guard !names.isEmpty else { continue }
            policies[queue] = RabbitMQPolicy(
                name: names.joined(separator: "' and '"), keys: Set((definition?.members ?? []).map(\.key)),
                consumerTimeout: definition?["consumer-timeout"]?.integer.map { Double($0) / 1000 })
        }
        return policies
    }

    /// Told by any answer, also by one that refuses us; nil: it is not told.
    func clock() -> ClockSample? {
        let asked = ClockSample.now()
        let answer = exchange("/api/whoami")
        guard answer.status > 0, answer.date >= 0 else { return nil }
        // Whole seconds, cut off.
        return ClockSample(theirs: Double(answer.date) + 0.5, coarse: 0.5, asked: asked, answered: ClockSample.now())
    }

    private struct Answer {
        var status: Int
        var body: [UInt8]
        /// Seconds since 1970; < 0: unknown.
        var date: Int64
        var error: String
    }

    private func exchange(_ path: String) -> Answer {
        var body = [CChar](repeating: 0, count: Self.room)
        var error = [CChar](repeating: 0, count: Int(HTTP_ERROR_SIZE))
        var length = 0
        var date: Int64 = -1
        let base = url.last == "/" ? String(url.dropLast()) : url
        let status = http_get(base + path, Self.patience, &body, body.count, &length, &date, &error)
        return Answer(
            status: status, body: body[..<length].map { UInt8(bitPattern: $0) }, date: date,
            error: String(decoding: error.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    /// nil: there is no such thing.
    private func get(_ path: String) throws(PolicyFailure) -> JSON? {
        let answer = exchange(path)
        switch answer.status {
        case 200:
            do {
                return try JSON(parsing: answer.body, limits: .trusted)
            } catch {
                throw PolicyFailure(
                    detail: "\(withoutSecrets(url)) does not answer in JSON: is it RabbitMQ's management?")
            }
        case 404: return nil
        case 401, 403:
            throw PolicyFailure(detail: "\(withoutSecrets(url)) refuses this user: give it the tag monitoring")
        case ..<0: throw PolicyFailure(detail: "\(withoutSecrets(url)): \(answer.error)")
        default: throw PolicyFailure(detail: "\(withoutSecrets(url)) answered \(answer.status)")
        }
    }

    private static func encoded(_ name: String) -> String {
        name.utf8.map { byte in
            let isPlain = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || (0x30...0x39).contains(byte)
            if isPlain { return String(UnicodeScalar(byte)) }
            let digits = String(byte, radix: 16, uppercase: true)
            return byte < 16 ? "%0\(digits)" : "%\(digits)"
        }.joined()
    }
}
