// The consumer as a state machine: what it asks for, holds and settles, step by step.
import PullConsumer
import TaskModel
import Testing

@Suite("A consumer that asks for messages")
struct PullConsumerTests {
    /// Consumes from the queues with that credit each.
    private func consumer(_ queues: String..., credit: Int) -> PullConsumer {
        var consumer = PullConsumer()
        consumer.consume(queues)
        for queue in queues { consumer.setCredit(credit, queue: queue) }
        return consumer
    }

    /// Answers the batch with so many messages of each of its queues; handles are numbers.
    private func answer(
        _ given: FetchBatch, _ counts: [Int], to consumer: inout PullConsumer, isCut: Bool = false
    ) -> [DeliveryTag] {
        var batch = given
        for (index, count) in counts.enumerated() {
            batch.requests[index].received = count
            batch.requests[index].isCut = isCut
        }
        consumer.answered(batch)
        var number = batch.numbers.lowerBound
        var tags: [DeliveryTag] = []
        for (request, count) in zip(batch.requests, counts) {
            for _ in 0..<count {
                if let tag = consumer.hold(Int64(number), number: number, queue: request.queue) { tags.append(tag) }
                number += 1
            }
        }
        return tags
    }

    private func fetch(_ consumer: inout PullConsumer, limit: Int = .max) throws -> FetchBatch {
        let batch = consumer.nextFetch(limit: limit)
        return try #require(batch)
    }

    private func take(_ count: Int, _ consumer: inout PullConsumer) throws -> [DeliveryTag] {
        answer(try fetch(&consumer), [count], to: &consumer)
    }

    @Test("it asks for its credit, and not again for what is on its way")
    func credit() throws {
        var consumer = consumer("q", credit: 3)
        let batch = try fetch(&consumer)
        #expect(batch.requests.map(\.limit) == [3])
        #expect(batch.numbers.count == 3)
        #expect(consumer.nextFetch() == nil)
        consumer.setCredit(5, queue: "q")
        let more = try fetch(&consumer)
        #expect(more.requests.map(\.limit) == [2])
        #expect(!more.numbers.overlaps(batch.numbers), "a number is one message's")
        #expect(answer(batch, [3], to: &consumer).count == 3)
        #expect(answer(more, [2], to: &consumer).count == 2)
        #expect(consumer.queues[0].inFlight == 5)
        #expect(consumer.nextFetch() == nil)
    }

    @Test("without credit, or with more in flight than it allows, it asks for nothing")
    func noCredit() throws {
        var consumer = consumer("q", credit: 2)
        _ = try take(2, &consumer)
        consumer.setCredit(0, queue: "q")
        #expect(consumer.nextFetch() == nil)
        #expect(consumer.queues[0].room == 0)
    }

    @Test("a queue that gave less is not asked again before there may be more; the others are")
    func exhausted() throws {
        var consumer = consumer("a", "b", credit: 4)
        let batch = try fetch(&consumer)
        let tags = answer(batch, [1, 4], to: &consumer)
        #expect(consumer.queues.map(\.isExhausted) == [true, false])
        consumer.settle(tags[1], requeue: false)
        #expect(consumer.nextFetch()?.requests.map(\.queue) == [1])
        consumer.mayHaveMore("b")
        #expect(consumer.nextFetch() == nil)
        consumer.mayHaveMore("a")
        #expect(consumer.nextFetch()?.requests.map(\.limit) == [3])
    }

    @Test("a batch that was cut for its size leaves no queue exhausted")
    func cut() throws {
        var consumer = consumer("q", credit: 4)
        _ = answer(try fetch(&consumer), [1], to: &consumer, isCut: true)
        #expect(consumer.nextFetch()?.requests.map(\.limit) == [3])
    }

    @Test("after a failure nothing is asked before there may be more")
    func failed() throws {
        var consumer = consumer("a", "b", credit: 4)
        consumer.failed(try fetch(&consumer))
        #expect(consumer.nextFetch() == nil)
        consumer.mayHaveMore()
        #expect(consumer.nextFetch()?.requests.count == 2)
    }

    @Test("queues take turns at being asked first, each for no more than the limit")
    func turns() throws {
        var consumer = consumer("a", "b", "c", credit: 2)
        var first: [Int] = []
        for _ in 0..<4 {
            let batch = try fetch(&consumer, limit: 1)
            #expect(batch.requests.map(\.limit) == [1, 1, 1])
            first.append(batch.requests[0].queue)
            for tag in answer(batch, [1, 1, 1], to: &consumer) { consumer.settle(tag, requeue: false) }
        }
        #expect(first == [0, 1, 2, 0])
    }

    @Test("what is settled makes room, and is taken once, acknowledgements and requeues apart, in order")
    func settle() throws {
        var consumer = consumer("q", credit: 4)
        let tags = try take(4, &consumer)
        #expect(consumer.takeSettlements() == nil)
        for (tag, requeue) in zip(tags.reversed(), [false, true, false, true]) {
            consumer.settle(tag, requeue: requeue)
        }
        #expect(consumer.owesSettlements)
        let taken = consumer.takeSettlements()
        let settlements = try #require(taken)
        #expect(settlements.acknowledged == [4, 2])
        #expect(settlements.requeued == [3, 1])
        #expect(consumer.takeSettlements() == nil && !consumer.owesSettlements)
        #expect(consumer.queues[0].room == 4)
        consumer.settle(tags[0], requeue: false)
        #expect(consumer.takeSettlements() == nil, "settled twice")
    }

    @Test("what goes back may be wanted again at once, though the queue had been exhausted")
    func requeued() throws {
        var consumer = consumer("q", credit: 4)
        let tags = try take(2, &consumer)
        consumer.settle(tags[0], requeue: false)
        #expect(consumer.nextFetch() == nil)
        consumer.settle(tags[1], requeue: true)
        #expect(consumer.nextFetch()?.requests.map(\.limit) == [4])
    }

    @Test("after a loss nothing of before can be settled, and all queues are asked again")
    func lost() throws {
        var consumer = consumer("q", credit: 4)
        let tags = try take(3, &consumer)
        _ = consumer.start(tags)
        consumer.settle(tags[0], requeue: true)
        consumer.settle(tags[1], requeue: false)
        _ = try take(0, &consumer)
        consumer.lose()
        #expect(consumer.takeSettlements() == nil)
        #expect(!consumer.isHolding)
        consumer.settle(tags[2], requeue: false)
        #expect(consumer.takeSettlements() == nil)
        #expect(consumer.handle(of: tags[2]) == nil)
        #expect(consumer.start(tags) == nil)
        let new = try take(2, &consumer)
        #expect(consumer.start([new[0]]) == [Int64(new[0].number)])
        // The number of a message that is held, under the link of before.
        let old = DeliveryTag(link: tags[0].link, number: new[1].number)
        consumer.settle(old, requeue: false)
        #expect(consumer.takeSettlements() == nil && consumer.handle(of: old) == nil)
    }

    @Test("an answer of before a loss makes room, but says nothing about the queues")
    func answerAfterLoss() throws {
        var consumer = consumer("q", credit: 4)
        let old = try fetch(&consumer)
        consumer.lose()
        #expect(consumer.nextFetch() == nil, "its answer is still to come")
        #expect(old.link != consumer.link)
        consumer.answered(old)
        #expect(consumer.nextFetch()?.requests.map(\.limit) == [4])
    }

    @Test("what is owed may wait for more while much is in hand, not when it goes back or nothing is consumed")
    func gathering() throws {
        var consumer = consumer("q", credit: 8)
        let tags = try take(8, &consumer)
        #expect(consumer.mayGather(upTo: 4))
        for tag in tags[0..<3] { consumer.settle(tag, requeue: false) }
        #expect(consumer.mayGather(upTo: 4))
        #expect(!consumer.mayGather(upTo: 3), "enough is owed")
        #expect(!consumer.mayGather(upTo: 5), "its credit is too small for that")
        consumer.settle(tags[3], requeue: true)
        #expect(!consumer.mayGather(upTo: 4), "others may wait for what goes back")
        _ = consumer.takeSettlements()
        #expect(consumer.mayGather(upTo: 4))
        consumer.settle(tags[4], requeue: false)
        #expect(!consumer.mayGather(upTo: 4), "3 of 8 are in hand")
        consumer.stop {}
        #expect(!consumer.mayGather(upTo: 4))
    }

    @Test("what has started is known until it is settled")
    func started() throws {
        var consumer = consumer("q", credit: 4)
        let tags = try take(3, &consumer)
        #expect(consumer.start([tags[0]]) == [1])
        #expect(consumer.start([tags[2]]) == [1, 3])
        consumer.settle(tags[0], requeue: false)
        #expect(consumer.start([tags[1]]) == [2, 3])
        #expect(consumer.start([tags[0]]) == nil)
    }

    @Test("a stop is over when every fetch and search is answered; what comes until then goes back")
    func stop() throws {
        var consumer = consumer("q", credit: 2)
        let batch = try fetch(&consumer)
        consumer.searchBegins()
        var ends = 0
        consumer.stop { ends += 1 }
        #expect(consumer.stopped().isEmpty)
        #expect(consumer.nextFetch() == nil)
        #expect(answer(batch, [2], to: &consumer).isEmpty)
        #expect(consumer.takeSettlements()?.requeued == [1, 2])
        #expect(consumer.stopped().isEmpty)
        consumer.searchEnds()
        consumer.stop { ends += 10 }
        for done in consumer.stopped() { done() }
        #expect(ends == 11)
        #expect(consumer.stopped().isEmpty, "each is called once")
    }

    @Test("what is held at a stop can still be settled, and consuming can begin again")
    func afterStop() throws {
        var consumer = consumer("q", credit: 2)
        let tags = try take(1, &consumer)
        consumer.stop {}
        #expect(consumer.stopped().count == 1)
        consumer.settle(tags[0], requeue: false)
        #expect(consumer.takeSettlements()?.acknowledged == [1])
        consumer.consume(["q", "r"])
        #expect(consumer.queues.map(\.name) == ["q", "r"])
        consumer.mayHaveMore()
        #expect(consumer.nextFetch()?.requests.map(\.limit) == [2])
        #expect(consumer.stopped().isEmpty, "no stop is asked for")
    }

    @Test("a stop that is called off by consuming again is not reported as done")
    func calledOff() {
        var consumer = consumer("q", credit: 2)
        consumer.stop {}
        consumer.consume(["q"])
        #expect(consumer.stopped().isEmpty)
    }

    @Test("at the end all that is held goes back, the oldest first, behind what was rejected before")
    func requeueAll() throws {
        var consumer = consumer("q", credit: 20)
        let tags = try take(20, &consumer)
        consumer.settle(tags[7], requeue: true)
        consumer.requeueAll()
        let expected = [8] + (1...20).filter { $0 != 8 }.map(Int64.init)
        #expect(consumer.takeSettlements()?.requeued == expected)
        #expect(!consumer.isHolding && consumer.queues[0].inFlight == 0)
    }
}
