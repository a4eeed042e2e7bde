// Just enough of a Redis client for tasks to leave their marks: one command, one answer.

import Glibc
import TaskhostSDK

/// The Redis named by REDIS_HOST, REDIS_PORT and REDIS_DB.
final class RedisConnection {
    private let descriptor: Int32

    init() throws {
        let host = getenv("REDIS_HOST").map { String(cString: $0) } ?? "localhost"
        let port = getenv("REDIS_PORT").map { String(cString: $0) } ?? "6379"
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, port, &hints, &found)
        guard status == 0 else {
            throw TaskError(type: "ConnectionError", "\(host): \(String(cString: gai_strerror(status)))")
        }
        defer { freeaddrinfo(found) }
        var connected: Int32 = -1
        var next = found
        while let address = next, connected < 0 {
            let socket = socket(address.pointee.ai_family, address.pointee.ai_socktype, address.pointee.ai_protocol)
            if socket >= 0, connect(socket, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 {
                connected = socket
            } else if socket >= 0 {
                close(socket)
            }
            next = address.pointee.ai_next
        }
        guard connected >= 0 else {
            throw TaskError(type: "ConnectionError", "no Redis at \(host):\(port): \(String(cString: strerror(errno)))")
        }
        descriptor = connected
        if let database = getenv("REDIS_DB").map({ String(cString: $0) }), database != "0" {
            try command("SELECT", database)
        }
    }

    deinit { close(descriptor) }

    /// Throws the server's error.
    func command(_ words: String...) throws {
        var text = "*\(words.count)\r\n"
        for word in words { text += "$\(word.utf8.count)\r\n\(word)\r\n" }
        try send(Array(text.utf8))
        let answer = try line()
        guard !answer.hasPrefix("-") else { throw TaskError(type: "RedisError", String(answer.dropFirst())) }
    }

    private func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw lost }
            rest = rest.dropFirst(count)
        }
    }

    /// Answers to these commands are one line.
    private func line() throws -> String {
        var bytes: [UInt8] = []
        while bytes.last != UInt8(ascii: "\n") {
            var byte: UInt8 = 0
            guard read(descriptor, &byte, 1) == 1 else { throw lost }
            bytes.append(byte)
        }
        return String(decoding: bytes.dropLast(2), as: UTF8.self)
    }

    private var lost: TaskError {
        TaskError(type: "ConnectionError", "the connection to Redis was lost: \(String(cString: strerror(errno)))")
    }
}

/// A value as Python's client sends it: texts and numbers as text, bytes as they are.
func redisText(_ value: JSON) throws -> String {
    switch value {
    case .string(let text): return text
    case .int(let number): return String(number)
    case .bigInteger(let digits): return digits
    case .double(let number): return String(number)
    default:
        guard value["__type__"] == "bytes", let text = value["__value__"]?.text else {
            throw TaskError(type: "DataError", "Invalid input: convert to a bytes, string, int or float first")
        }
        return text
    }
}
