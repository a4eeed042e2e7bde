// What waits in the sorted sets for its time.
public import Ports
import TaskModel

extension RedisBroker {
    /// How long a host that has reported a queue is the one to report it: longer than the workers of one question
    /// take to answer, shorter than a monitor's pause between two.
    private static let reportingSeconds = 3
    /// What one queue's answer may hold, in bytes; a larger message goes alone.
    private static let longestAnswer = 1 << 20

    public func scheduled(
        _ question: ScheduledQuestion, done: @escaping (Result<ScheduledMessages, BrokerFailure>) -> Void
    ) {
        guard !question.queues.isEmpty else { return done(.success(ScheduledMessages())) }
        var found = ScheduledMessages()
        var left = question.queues.count
        var failure: BrokerFailure?
        // With ids all that is found is to be reported.
        let reporter = question.asker == .host && question.ids == nil ? reporterName : ""
        for queue in question.queues {
            let words: [String] =
                [
                    "EVAL", BrokerScripts.scheduled, "2", keys.delayed(queue), keys.delayedReporter(queue), reporter,
                    "\(Self.reportingSeconds)", "\(question.limit)", "\(Self.longestAnswer)",
                ] + (question.ids.map { $0.sorted() } ?? [])
            line.ask(words.map(\.bytes)) { answer in
                switch answer {
                case .success(let reply): Self.take(reply, of: queue, into: &found)
                case .failure: failure = failure ?? answer.brokerFailure
                }
                left -= 1
                guard left == 0 else { return }
                found.next.sort { $0.due < $1.due }
                found.next = Array(found.next.prefix(question.limit))
                done(failure.map(Result.failure) ?? .success(found))
            }
        }
    }

    /// The number, then score and item of each.
    private static func take(_ reply: RedisReply, of queue: String, into found: inout ScheduledMessages) {
        guard let items = reply.items, let count = items.first?.integer else { return }
        found.counts[queue] = Int(count)
        for index in stride(from: 1, to: items.count - 1, by: 2) {
            guard let score = items[index].bytes, let item = items[index + 1].bytes else { continue }
            // The first digit is the step of its priority.
            let delivery = RedisTaken(envelope: Array(item.dropFirst()))
                .delivery(DeliveryTag(link: 0, number: 0), queue: queue)
            let due = WallTime(secondsSince1970: Double(String(decoding: score, as: UTF8.self)) ?? 0)
            found.next.append(
                ScheduledMessage(
                    due: due, queue: queue, exchange: delivery.exchange, routingKey: delivery.routingKey,
                    redelivered: delivery.redelivered, message: delivery.message))
        }
    }
}

extension BrokerScripts {
    /// Looks at what waits for its time. Keys: delayed, who reported it last. Arguments: host ("": no host), for how
    /// many seconds it is the one to report, how many messages at most, how many bytes, then ids, if only they are wanted.
    ///
    /// Answers nothing when another host reports it; else the number, then score and item of each, soonest first. With ids
    /// at most 20,000 messages are looked through: the server does nothing else meanwhile.
    static let scheduled = """
        if ARGV[1] ~= '' then
            local reporter = redis.call('GET', KEYS[2])
            if reporter and reporter ~= ARGV[1] then return {} end
            redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2])
        end
        local total = redis.call('ZCARD', KEYS[1])
        local wanted, limit, room, count = nil, tonumber(ARGV[3]), tonumber(ARGV[4]), total
        if #ARGV > 4 then
            wanted, count = {}, 0
            for index = 5, #ARGV do wanted[ARGV[index]] = true end
        end
        local answer, first, most = {0}, 0, wanted and math.min(total, 20000) or math.min(total, limit)
        while first < most do
            local some = redis.call('ZRANGE', KEYS[1], first, math.min(first + 19, most - 1), 'WITHSCORES')
            for index = 1, #some, 2 do
                local item = some[index]
                local isWanted = true
                if wanted then
                    isWanted = wanted[string.match(item, '"id": ?"([^"]*)"') or '']
                        or wanted[string.match(item, '"root_id": ?"([^"]*)"') or '']
                    if isWanted then count = count + 1 end
                end
                if isWanted and limit > 0 and (room > #item or #answer == 1) then
                    answer[#answer + 1] = some[index + 1]
                    answer[#answer + 1] = item
                    room, limit = room - #item, limit - 1
                end
            end
            if not wanted and (limit <= 0 or room <= 0) then break end
            first = first + 20
        end
        answer[1] = count
        return answer
        """
}
