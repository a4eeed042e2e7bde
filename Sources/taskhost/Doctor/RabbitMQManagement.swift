// Policies as RabbitMQ's management API tells them (`broker.management_url`).
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

    /// nil: there is no such thing.
    private func get(_ path: String) throws(PolicyFailure) -> JSON? {
        var answer = [CChar](repeating: 0, count: Self.room)
        var error = [CChar](repeating: 0, count: Int(HTTP_ERROR_SIZE))
        var length = 0
        let base = url.last == "/" ? String(url.dropLast()) : url
        let status = http_get(base + path, Self.patience, &answer, answer.count, &length, &error)
        switch status {
        case 200:
            do {
                return try JSON(parsing: answer[..<length].map { UInt8(bitPattern: $0) }, limits: .trusted)
            } catch {
                throw PolicyFailure(
                    detail: "\(withoutSecrets(url)) does not answer in JSON: is it RabbitMQ's management?")
            }
        case 404: return nil
        case 401, 403:
            throw PolicyFailure(detail: "\(withoutSecrets(url)) refuses this user: give it the tag monitoring")
        case ..<0:
            let words = String(decoding: error.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw PolicyFailure(detail: "\(withoutSecrets(url)): \(words)")
        default: throw PolicyFailure(detail: "\(withoutSecrets(url)) answered \(status)")
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
