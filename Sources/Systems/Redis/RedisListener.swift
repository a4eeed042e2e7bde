// Follows results: subscribes to their channels on a connection of its own, then reads what is already there.
import Ports

/// Belongs to the loop's thread. The connection is made when the first follower comes.
final class RedisListener {
    private final class Follower: ResultSubscription {
        let key: String
        let changed: ([UInt8]) -> Void
        var last: [UInt8]?
        private weak var home: RedisListener?

        init(_ key: String, home: RedisListener, changed: @escaping ([UInt8]) -> Void) {
            self.key = key
            self.home = home
            self.changed = changed
        }

        func cancel() { home?.remove(self) }
    }

    typealias Fetch = (_ key: String, _ done: @escaping (Result<[UInt8]?, StoreFailure>) -> Void) -> Void

    private let address: RedisAddress
    private let loop: any EventLoop
    private let fetch: Fetch
    private var link: RedisLink?
    private var byKey: [String: [Follower]] = [:]
    /// Messages received per key: shows whether a document fetched meanwhile may be older.
    private var receivedCount: [String: Int] = [:]

    init(address: RedisAddress, loop: any EventLoop, fetch: @escaping Fetch) {
        self.address = address
        self.loop = loop
        self.fetch = fetch
    }

    func add(_ key: String, _ changed: @escaping ([UInt8]) -> Void) -> any ResultSubscription {
        let follower = Follower(key, home: self, changed: changed)
        let isFirst = byKey[key] == nil
        byKey[key, default: []].append(follower)
        if link == nil {
            connect()
        } else if isFirst, link?.isUp ?? false {
            link?.subscribe(key)
        } else if !isFirst {
            // Subscribed already, or about to be: this one only lacks the present document.
            showPresent(key)
        }
        return follower
    }

    func close() {
        byKey.removeAll()
        link?.close()
        link = nil
    }

    private func connect() {
        let link = RedisLink(address: address, loop: loop) { [weak self] event in
            // Loss and refusal are reported by the store's own link, which goes to the same server.
            guard let self, case .up = event else { return }
            for key in byKey.keys { self.link?.subscribe(key) }
        }
        link.subscribed = { [weak self] key in self?.showPresent(key) }
        link.received = { [weak self] key, payload in
            guard let self else { return }
            receivedCount[key, default: 0] += 1
            for follower in byKey[key] ?? [] {
                follower.last = payload
                follower.changed(payload)
            }
        }
        self.link = link
        link.connect()
    }

    /// What was stored before we listened, or while we could not.
    private func showPresent(_ key: String) {
        let before = receivedCount[key, default: 0]
        fetch(key) { [weak self] result in
            // A failure is the store's, and reported by it; the channel goes on.
            guard let self, case .success(let document?) = result, receivedCount[key, default: 0] == before else {
                return
            }
            for follower in byKey[key] ?? [] where follower.last != document {
                follower.last = document
                follower.changed(document)
            }
        }
    }

    private func remove(_ follower: Follower) {
        byKey[follower.key]?.removeAll { $0 === follower }
        guard byKey[follower.key]?.isEmpty ?? false else { return }
        byKey[follower.key] = nil
        receivedCount[follower.key] = nil
        if link?.isUp ?? false { link?.unsubscribe(follower.key) }
    }
}
