// An event sent by HTTP: signed, with a time-out, tried again when that can help.
import CHTTP
import COpenSSL
import Glibc
import TaskModel

struct PostDelivery: Sendable {
    let url: String
    let secret: String?
    let timeout: Double
    let retries: Int
    /// "taskhost/0.1.0".
    let agent: String

    private static let backoff = Backoff(initial: 1, max: 30)

    /// Waits for its end. nil: it was taken; else a sentence.
    func run(_ body: [UInt8], event: HookEvent, isEnding: () -> Bool) -> String? {
        var backoff = Self.backoff
        for attempt in 0...retries {
            guard let failure = post(body, event) else { return nil }
            let isLast = attempt == retries || !failure.mayPass || isEnding()
            if isLast { return attempt == 0 ? failure.text : "\(failure.text) (attempt \(attempt + 1))" }
            usleep(UInt32(backoff.next() * 1e6))
        }
        return nil
    }

    private struct Failure {
        var text: String
        var mayPass: Bool
    }

    private func post(_ body: [UInt8], _ event: HookEvent) -> Failure? {
        let time = String(time(nil))
        var lines = [
            "Content-Type: application/json", "User-Agent: \(agent)", "Expect:",
            "X-Taskhost-Event: \(event.trigger.rawValue)", "X-Taskhost-Delivery: \(event.id)",
            "X-Taskhost-Timestamp: \(time)",
        ]
        if let secret {
            guard let signature = Self.signature(of: body, at: time, by: secret) else {
                return Failure(text: "no memory for its signature", mayPass: true)
            }
            lines.append("X-Taskhost-Signature: sha256=\(signature)")
        }
        var error = [CChar](repeating: 0, count: Int(HTTP_ERROR_SIZE))
        let pointers = lines.map { strdup($0) }
        defer { for text in pointers { free(text) } }
        let headers: [UnsafePointer<CChar>?] = pointers.map { UnsafePointer($0) } + [nil]
        let status = http_post(url, headers, body, body.count, Int(timeout * 1000), &error)
        switch status {
        case 200..<300: return nil
        case ..<0: return Failure(text: Self.text(error), mayPass: true)
        default: return Failure(text: "answered \(status)", mayPass: status >= 500 || status == 408 || status == 429)
        }
    }

    private static func text(_ words: [CChar]) -> String {
        String(decoding: words.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Over the time as well, so that an old signature cannot be replayed.
    static func signature(of body: [UInt8], at time: String, by secret: String) -> String? {
        let signed = Array(time.utf8) + [UInt8(ascii: ".")] + body
        let key = Array(secret.utf8)
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        guard let length = Int32(exactly: key.count),
            HMAC(EVP_sha256(), key, length, signed, signed.count, &digest, nil) != nil
        else { return nil }
        return digest.map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
    }
}
