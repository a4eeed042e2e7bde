// What may wait for a Redis that does not answer.
import Loop
import Ports
import Testing

@testable import Redis

@Suite("Questions that wait for Redis")
struct RedisLineTests {
    @Test("they are bounded in bytes: one beyond them is refused for now, those before it go on waiting")
    func bytes() throws {
        let loop = try EpollLoop()
        let address = try RedisAddress(url: "redis://localhost")
        let line = RedisLine(address: address, loop: loop, maxWaiting: 100, maxWaitingBytes: 1_000)
        var answers: [Int: StoreFailure?] = [:]
        for (number, size) in [600, 300, 200, 90].enumerated() {
            line.ask([[UInt8](repeating: 0, count: size)]) { answer in
                answers[number] = if case .failure(let failure) = answer { failure } else { nil }
                if number == 2 { loop.stop() }
            }
        }
        loop.run()
        #expect(answers.keys.sorted() == [2])
        let refusal = try #require(answers[2] ?? nil)
        #expect(!refusal.isPermanent && refusal.detail.contains("900 bytes already wait"), "\(refusal)")
        line.close()
        #expect(answers.count == 4)
    }
}
