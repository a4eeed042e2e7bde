// One connection to Redis and the questions that wait for it: asked again after a loss, or when Redis was unwell.
import Foundation
import Ports

/// Belongs to the loop's thread. Many questions are under way at once; the answers come in order.
final class RedisLine {
    enum News {
        /// Also after `sick`.
        case up
        case down(reason: String, retryInSeconds: Double)
        /// The link is up, but what is asked has to wait.
        case sick(reason: String, retryInSeconds: Double)
        /// It will not work like this (wrong password); tried again all the same, slowly.
        case refused(StoreFailure)
    }

    /// Sequences under way at once: what a loss of the link makes us repeat.
    private static let maxUnderWay = 512
    private static let sickPause = 0.2...5.0

    let address: RedisAddress
    private let loop: any EventLoop
    private let maxWaiting: Int
    private var tell: (News) -> Void = { _ in }
    private var link: RedisLink?
    private var waiting: [RedisRequest] = []
    private var underWay = 0
    /// Why nothing can be asked until the link is up again.
    private var refusal: StoreFailure?
    /// Redis is up and refuses writes for now.
    private var sickTimer: (any LoopTimer)?
    private var sickPause = sickPause.lowerBound
    private var isClosed = false

    /// - Parameter maxWaiting: questions that may wait; what comes beyond is refused (not permanently).
    init(address: RedisAddress, loop: any EventLoop, maxWaiting: Int) {
        self.address = address
        self.loop = loop
        self.maxWaiting = maxWaiting
    }

    var isUp: Bool { link?.isUp ?? false }

    func connect(tell: @escaping (News) -> Void) {
        self.tell = tell
        let link = RedisLink(address: address, loop: loop) { [weak self] news in self?.heard(news) }
        self.link = link
        link.connect()
    }

    /// What waits is given up, and said so.
    func close() {
        isClosed = true
        sickTimer?.cancel()
        giveUpWaiting(StoreFailure("The connection to \(address) was closed before it was done"))
        link?.close()
        link = nil
        tell = { _ in }
    }

    /// Once, now: answered with `.linkLost` when there is no link, or when it breaks.
    func send(_ words: [[UInt8]], done: @escaping (RedisReply) -> Void) {
        guard let link, link.isUp else { return done(.linkLost) }
        link.send(words, done: done)
    }

    /// One command, sent again after a loss of the link: it must bear being done twice.
    func ask(_ words: [[UInt8]], done: @escaping (Result<RedisReply, StoreFailure>) -> Void) {
        var answer = RedisReply.none
        add(
            RedisRequest(done: { failure in done(failure.map(Result.failure) ?? .success(answer)) }) {
                [weak self] request in
                self?.send(words) { reply in
                    guard let self, self.check(reply, request) else { return }
                    answer = reply
                    self.finish(request)
                }
            })
    }

    func add(_ request: RedisRequest) {
        let failure: StoreFailure? =
            if isClosed {
                StoreFailure("The connection to \(address) is closed")
            } else if let refusal {
                refusal
            } else if waiting.count >= maxWaiting {
                StoreFailure(
                    "\(maxWaiting) questions already wait for \(address)", fix: "See why it is not reachable")
            } else {
                nil
            }
        if let failure {
            _ = loop.schedule(afterSeconds: 0) { request.done(failure) }
            return
        }
        waiting.append(request)
        pump()
    }

    private func pump() {
        guard let link, link.isUp, sickTimer == nil, !waiting.isEmpty, underWay < Self.maxUnderWay else { return }
        let batch = Array(waiting.prefix(Self.maxUnderWay - underWay))
        waiting.removeFirst(batch.count)
        underWay += batch.count
        for request in batch { request.begin(request) }
    }

    /// False when the request has to wait, or has failed.
    func check(_ reply: RedisReply, _ request: RedisRequest) -> Bool {
        if case .linkLost = reply {
            underWay -= 1
            if isClosed {
                request.done(StoreFailure("The connection to \(address) was closed before the answer came"))
            } else {
                waiting.append(request)
            }
            return false
        }
        guard let text = reply.errorText else { return true }
        underWay -= 1
        switch RedisTrouble(text, at: address) {
        case .passing(let reason):
            waiting.append(request)
            pause(reason)
        case .wrongServer(let reason):
            waiting.append(request)
            link?.drop(reason)
        case .permanent(let failure):
            request.done(failure)
            pump()
        }
        return false
    }

    func finish(_ request: RedisRequest) {
        underWay -= 1
        if sickPause > Self.sickPause.lowerBound, sickTimer == nil {
            sickPause = Self.sickPause.lowerBound
            tell(.up)
        }
        request.done(nil)
        pump()
    }

    private func pause(_ reason: String) {
        guard sickTimer == nil else { return }
        let seconds = sickPause
        sickPause = min(sickPause * 2, Self.sickPause.upperBound)
        sickTimer = loop.schedule(afterSeconds: seconds) { [weak self] in
            self?.sickTimer = nil
            self?.pump()
        }
        tell(.sick(reason: reason, retryInSeconds: seconds))
    }

    private func heard(_ news: RedisLink.News) {
        switch news {
        case .up:
            refusal = nil
            sickTimer?.cancel()
            sickTimer = nil
            sickPause = Self.sickPause.lowerBound
            tell(.up)
            pump()
        case .down(let reason, let seconds):
            tell(.down(reason: reason, retryInSeconds: seconds))
        case .refused(let failure):
            refusal = failure
            giveUpWaiting(failure)
            tell(.refused(failure))
        }
    }

    private func giveUpWaiting(_ failure: StoreFailure) {
        let given = waiting
        waiting = []
        for request in given { request.done(failure) }
    }
}

/// Something to ask of Redis, from its first command; begun again after a loss of the link.
final class RedisRequest {
    let begin: (RedisRequest) -> Void
    let done: (StoreFailure?) -> Void

    init(done: @escaping (StoreFailure?) -> Void, begin: @escaping (RedisRequest) -> Void) {
        self.begin = begin
        self.done = done
    }
}
