import Testing

@testable import RabbitMQ

@Suite("How long the publisher's thread sleeps")
struct PublisherPatienceTests {
    @Test("once all is confirmed, a publisher that is being closed does not sleep")
    func closing() {
        #expect(PublisherPatience(tick: 2, retryIn: nil, giveUpIn: 5, isIdle: true).seconds == 0)
        #expect(PublisherPatience(tick: nil, retryIn: nil, giveUpIn: 5, isIdle: true).seconds == 0)
    }

    @Test("while something is unconfirmed, it sleeps until the link wants to be looked after, or is given up")
    func unconfirmed() {
        #expect(PublisherPatience(tick: 2, retryIn: nil, giveUpIn: 5, isIdle: false).seconds == 2)
        #expect(PublisherPatience(tick: 2, retryIn: nil, giveUpIn: 1, isIdle: false).seconds == 1)
        #expect(PublisherPatience(tick: 2, retryIn: nil, giveUpIn: -1, isIdle: false).seconds == 0)
    }

    @Test("without a link it sleeps until the next attempt, or for ever when nothing waits")
    func withoutLink() {
        #expect(PublisherPatience(tick: nil, retryIn: 4, giveUpIn: nil, isIdle: false).seconds == 4)
        #expect(PublisherPatience(tick: nil, retryIn: nil, giveUpIn: nil, isIdle: true).seconds == nil)
        #expect(PublisherPatience(tick: 2, retryIn: nil, giveUpIn: nil, isIdle: true).seconds == 2)
    }
}
