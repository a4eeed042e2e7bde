// Host names to addresses, without holding up the loop.
internal import Glibc

public enum HostLookup {
    /// - Parameter done: called on the loop's thread, at once for numeric addresses.
    public static func resolve(
        _ name: String, on loop: any EventLoop, done: @escaping (Result<[String], StoreFailure>) -> Void
    ) {
        if let numeric = lookUp(name, AI_NUMERICHOST) { return done(.success(numeric)) }
        let answer = Answer(loop, done)
        let isLooking = OwnThread.run {
            answer.deliver(
                lookUp(name, 0).map(Result.success)
                    ?? .failure(
                        StoreFailure("The host name \(name) is unknown", fix: "Check the address and the name servers"))
            )
        }
        if !isLooking {
            answer.deliver(
                .failure(
                    StoreFailure(
                        "The host name \(name) cannot be looked up: no thread is to be had",
                        fix: "Raise the system's limit of threads (ulimit -u)")))
        }
    }

    /// An address, not a name.
    public static func isNumeric(_ host: String) -> Bool { lookUp(host, AI_NUMERICHOST) != nil }

    /// nil: none found.
    private static func lookUp(_ name: String, _ flags: Int32) -> [String]? {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = flags
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &found) == 0 else { return nil }
        defer { freeaddrinfo(found) }
        var texts: [String] = []
        var next = found
        while let info = next?.pointee {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            if getnameinfo(
                info.ai_addr, info.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
            {
                texts.append(String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
            }
            next = info.ai_next
        }
        return texts.isEmpty ? nil : texts
    }

    /// Carried to the looking thread; both parts are used by `post` on the loop's thread only.
    private final class Answer: @unchecked Sendable {
        private let loop: any EventLoop
        private let done: (Result<[String], StoreFailure>) -> Void

        init(_ loop: any EventLoop, _ done: @escaping (Result<[String], StoreFailure>) -> Void) {
            self.loop = loop
            self.done = done
        }

        func deliver(_ result: Result<[String], StoreFailure>) { loop.post { self.done(result) } }
    }
}
