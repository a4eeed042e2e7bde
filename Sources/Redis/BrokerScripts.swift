// The atomic steps of the Redis broker. Times are the server's own, in seconds since 1970.

enum BrokerScripts {
    private static let clock = """
        local time = redis.call('TIME')
        local now = time[1] + time[2] / 1000000

        """

    /// Takes messages and records them as unacknowledged in the same step: a crash loses none.
    /// Keys: hash, index, then the lists: all queues of the first step, all of the next, and so on. Arguments: what tags
    /// begin with, the first number, number of queues, then for each queue how many and the end of its hash entries.
    ///
    /// Answers queue, number, envelope for each. Looks at the lists that gave less than wanted, so that Redis tells us
    /// of their next change (CLIENT TRACKING).
    static let take =
        clock + """
            local number, queues, taken, room = tonumber(ARGV[2]), tonumber(ARGV[3]), {}, {}
            for queue = 1, queues do room[queue] = tonumber(ARGV[2 + 2 * queue]) end
            for key = 3, #KEYS do
                local queue = (key - 3) % queues + 1
                while room[queue] > 0 do
                    local envelope = redis.call('RPOP', KEYS[key])
                    if not envelope then break end
                    local tag = ARGV[1] .. number
                    redis.call('ZADD', KEYS[2], now, tag)
                    redis.call('HSET', KEYS[1], tag, '[' .. envelope .. ARGV[3 + 2 * queue])
                    taken[#taken + 1] = queue
                    taken[#taken + 1] = number
                    taken[#taken + 1] = envelope
                    number, room[queue] = number + 1, room[queue] - 1
                end
            end
            for key = 3, #KEYS do
                if room[(key - 3) % queues + 1] > 0 then redis.call('LLEN', KEYS[key]) end
            end
            return taken
            """

    /// Keys: hash, index. Arguments: tags.
    static let acknowledge = """
        for _, tag in ipairs(ARGV) do
            redis.call('ZREM', KEYS[2], tag)
            redis.call('HDEL', KEYS[1], tag)
        end
        return 1
        """

    /// Keys: delayed. Arguments: seconds, item.
    static let delay = clock + "return redis.call('ZADD', KEYS[1], 'NX', now + ARGV[1], ARGV[2])"

    /// Delayed messages that are due join their queues. Keys: for each queue delayed and its four lists.
    /// Answers the seconds until the next one is due, or nothing. An item is the digit of its step and the envelope.
    static let promote =
        clock + """
            local places, nearest = {['0'] = 1, ['3'] = 2, ['6'] = 3, ['9'] = 4}, nil
            for base = 1, #KEYS, 5 do
                for _, item in ipairs(redis.call('ZRANGEBYSCORE', KEYS[base], '-inf', now, 'LIMIT', 0, 500)) do
                    redis.call('LPUSH', KEYS[base + (places[string.sub(item, 1, 1)] or 1)], string.sub(item, 2))
                    redis.call('ZREM', KEYS[base], item)
                end
                local first = redis.call('ZRANGE', KEYS[base], 0, 0, 'WITHSCORES')
                if first[2] and (not nearest or tonumber(first[2]) < nearest) then nearest = tonumber(first[2]) end
            end
            return nearest and tostring(nearest - now)
            """

    /// Renews what a host holds, so that nobody takes it for lost. Keys: index, hosts, lost. Arguments: host, seconds
    /// of the lease, tags. Answers 1 when others have taken over already.
    static let renew =
        clock + """
            if redis.call('EXISTS', KEYS[3]) == 1 then return 1 end
            redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[1])
            for item = 3, #ARGV do redis.call('ZADD', KEYS[1], 'XX', now, ARGV[item]) end
            return 0
            """

    /// Finds what was held for too long, or by hosts whose lease is over. Keys: hash, index, hosts, mutex. Arguments:
    /// seconds of the visibility time-out, how many at most, our token, what our tags begin with, what lost keys begin
    /// with. Answers tag and entry of each; the mutex is ours then, for some seconds.
    static let sweep =
        clock + """
            local limit, found = tonumber(ARGV[2]), {}
            for _, tag in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[1], 'LIMIT', 0, limit)) do
                found[#found + 1] = tag
            end
            for _, host in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, 10)) do
                redis.call('SET', ARGV[5] .. host, '1', 'EX', 86400)
                local start, isEmpty = ARGV[4] .. host .. ':', true
                for _, tag in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
                    if string.sub(tag, 1, #start) == start then
                        isEmpty = false
                        if #found < limit then found[#found + 1] = tag end
                    end
                end
                if isEmpty then redis.call('ZREM', KEYS[3], host) end
            end
            if #found == 0 or not redis.call('SET', KEYS[4], ARGV[3], 'NX', 'PX', 10000) then return {} end
            local entries = {}
            for _, tag in ipairs(found) do
                local entry = redis.call('HGET', KEYS[1], tag)
                if entry then
                    entries[#entries + 1] = tag
                    entries[#entries + 1] = entry
                else
                    redis.call('ZREM', KEYS[2], tag)
                end
            end
            return entries
            """

    /// Puts messages back at the front of their lists, those that are still held. Keys: hash, index, mutex, lists.
    /// Arguments: our token of the mutex, or nothing; then for each tag the list's place among the keys and envelope.
    static let restore = """
        for item = 2, #ARGV, 3 do
            redis.call('ZREM', KEYS[2], ARGV[item])
            if redis.call('HDEL', KEYS[1], ARGV[item]) == 1 then
                redis.call('RPUSH', KEYS[3 + ARGV[item + 1]], ARGV[item + 2])
            end
        end
        if redis.call('GET', KEYS[3]) == ARGV[1] then redis.call('DEL', KEYS[3]) end
        return 1
        """

    /// Keys: lists, then delayed. Answers how many messages there are.
    static let depth = """
        local count = redis.call('ZCARD', KEYS[#KEYS])
        for key = 1, #KEYS - 1 do count = count + redis.call('LLEN', KEYS[key]) end
        return count
        """

    /// Keys as above. Answers how many messages there were.
    static let purge = """
        local count = redis.call('ZCARD', KEYS[#KEYS])
        for key = 1, #KEYS - 1 do count = count + redis.call('LLEN', KEYS[key]) end
        redis.call('DEL', unpack(KEYS))
        return count
        """

    /// Settles one dead letter. Keys: dead letters, list to go back to. Arguments: envelope, the new one or nothing.
    static let settleDead = """
        if redis.call('LREM', KEYS[1], -1, ARGV[1]) == 0 then return 0 end
        if ARGV[2] ~= '' then redis.call('LPUSH', KEYS[2], ARGV[2]) end
        return 1
        """
}
