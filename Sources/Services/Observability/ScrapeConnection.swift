// One exchange over HTTP: a request's head is read, its answer written, and never waited for.
import Glibc

/// On the server's thread. Closed when no reference is left.
final class ScrapeConnection {
    let descriptor: Int32
    private var head: [UInt8] = []
    private var reply: ArraySlice<UInt8> = []
    private var answers = false
    private var isFinished = false
    private var deadline: Double

    /// Seconds.
    private static let headPatience = 1.0
    private static let replyPatience = 2.0
    private static let longestHead = 8192

    /// - Parameter descriptor: non-blocking.
    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        deadline = Self.now() + Self.headPatience
    }

    deinit { close(descriptor) }

    /// For poll.
    var interest: Int16 { Int16(answers ? POLLOUT : POLLIN) }

    /// Done, broken or too slow.
    var isOver: Bool { isFinished || Self.now() >= deadline }

    func proceed(_ answer: (String) -> ScrapeAnswer) {
        if !answers { readHead(answer) }
        if answers { writeReply() }
    }

    private func readHead(_ answer: (String) -> ScrapeAnswer) {
        var buffer = [UInt8](repeating: 0, count: 2048)
        while !answers {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0, errno == EAGAIN || errno == EINTR { return }
            guard count > 0, head.count + count <= Self.longestHead else {
                isFinished = true
                return
            }
            head += buffer.prefix(count)
            let text = String(decoding: head, as: UTF8.self)
            if text.hasSuffix("\r\n\r\n") || text.hasSuffix("\n\n") { begin(Self.reply(to: text, answer)) }
        }
    }

    private func begin(_ text: String) {
        reply = Array(text.utf8)[...]
        answers = true
        deadline = Self.now() + Self.replyPatience
    }

    private static func reply(to head: String, _ answer: (String) -> ScrapeAnswer) -> String {
        let words = head.prefix { $0 != "\r\n" && $0 != "\n" }.split(separator: " ")
        let reply: ScrapeAnswer
        if words.count == 3, words[0] == "GET" || words[0] == "HEAD", words[2].hasPrefix("HTTP/1.") {
            reply = answer(String(words[1].prefix { $0 != "?" }))
        } else {
            reply = ScrapeAnswer(status: "405 Method Not Allowed", text: "GET only\n")
        }
        return
            "HTTP/1.1 \(reply.status)\r\nContent-Type: \(reply.type)\r\nContent-Length: \(reply.text.utf8.count)\r\n"
            + "Connection: close\r\n\r\n" + (words.first == "HEAD" ? "" : reply.text)
    }

    private func writeReply() {
        while !reply.isEmpty {
            let count = reply.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EAGAIN || errno == EINTR { return }
            guard count > 0 else {
                isFinished = true
                return
            }
            reply = reply.dropFirst(count)
        }
        shutdown(descriptor, Int32(SHUT_WR))
        isFinished = true
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
