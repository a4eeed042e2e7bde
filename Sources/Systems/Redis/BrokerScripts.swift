// The atomic steps of the Redis broker. Times are the server's own, in seconds since 1970.

enum BrokerScripts {
    private static let clock = """
        local time = redis.call('TIME')
        local now = time[1] + time[2] / 1000000

        """

    /// Takes messages and records them as unacknowledged in the same step: a crash loses none.
    /// Keys: hash, index, then the lists: all queues of the first step, all of the next, and so on. Arguments: what
    /// tags begin with, the first number, number of queues, then for each queue how many and the end of its hash
    /// entries; then after how many bytes to stop, and how many are
    /// likely to be that many.
    ///
    /// Answers queue, number, envelope for each; and 0, 0, why for a key that is no list, which does not keep back the
    /// others. Looks at the lists that gave less than wanted, so that Redis reports their next change (CLIENT
    /// TRACKING). Several are read at once, as many as will fit if they are as long as those before: each reading command
    /// makes Redis remember all keys of the script, and the writing one after it reports them, three lines to us.
    ///
    /// Redis undoes nothing when a later command of a script is refused (rights that were taken away, a key of another
    /// kind). So here and below what is to outlive is written before what it replaces is removed.
    static let take =
        clock + """
            local number, queues, taken, room = tonumber(ARGV[2]), tonumber(ARGV[3]), {}, {}
            local bytes, most, broken = 0, tonumber(ARGV[4 + 2 * queues]), {}
            for queue = 1, queues do room[queue] = tonumber(ARGV[2 + 2 * queue]) end
            for key = 3, #KEYS do
                local queue = (key - 3) % queues + 1
                local likely = tonumber(ARGV[5 + 2 * queues])
                while room[queue] > 0 and bytes < most do
                    local envelopes = redis.pcall('LRANGE', KEYS[key], -math.min(room[queue], likely), -1)
                    if envelopes.err then
                        broken[#broken + 1] = envelopes.err .. ' (' .. KEYS[key] .. ')'
                        room[queue] = 0
                        break
                    end
                    local count = 0
                    local index, hash, tags = {}, {}, {}
                    for place = #envelopes, 1, -1 do
                        if bytes >= most then break end
                        local tag = ARGV[1] .. number + count
                        count = count + 1
                        index[2 * count - 1], index[2 * count] = now, tag
                        hash[2 * count - 1], hash[2 * count] = tag, '[' .. envelopes[place] .. ARGV[3 + 2 * queue]
                        tags[count] = tag
                        bytes = bytes + #envelopes[place]
                    end
                    if count == 0 then break end
                    redis.call('ZADD', KEYS[2], unpack(index))
                    redis.call('HSET', KEYS[1], unpack(hash))
                    local popped = redis.pcall('RPOP', KEYS[key], count)
                    if popped.err then
                        redis.call('HDEL', KEYS[1], unpack(tags))
                        redis.call('ZREM', KEYS[2], unpack(tags))
                        broken[#broken + 1] = popped.err .. ' (' .. KEYS[key] .. ')'
                        room[queue] = 0
                        break
                    end
                    for place = 1, count do
                        taken[#taken + 1] = queue
                        taken[#taken + 1] = number
                        taken[#taken + 1] = envelopes[#envelopes + 1 - place]
                        number = number + 1
                    end
                    room[queue] = room[queue] - count
                    likely = math.max(1, math.min(64, 2 * count, math.floor((most - bytes) * #taken / 3 / bytes)))
                end
            end
            for key = 3, #KEYS do
                if room[(key - 3) % queues + 1] > 0 then redis.call('LLEN', KEYS[key]) end
            end
            for _, why in ipairs(broken) do
                taken[#taken + 1] = 0
                taken[#taken + 1] = 0
                taken[#taken + 1] = why
            end
            return taken
            """

    /// Keys: hash, index. Arguments: tags.
    static let acknowledge = """
        for first = 1, #ARGV, 1000 do
            local last = math.min(first + 999, #ARGV)
            redis.call('ZREM', KEYS[2], unpack(ARGV, first, last))
            redis.call('HDEL', KEYS[1], unpack(ARGV, first, last))
        end
        return 1
        """

    /// Keys: delayed. Arguments: seconds, item.
    static let delay = clock + "return redis.call('ZADD', KEYS[1], 'NX', now + ARGV[1], ARGV[2])"

    /// Sends only as long as the sender holds a message. Keys: hash, list, delayed. Arguments: the held message's tag,
    /// seconds to wait (0: none), step, envelope. Answers −1 when others have that message.
    static let sendClaimed =
        clock + """
            if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return -1 end
            if tonumber(ARGV[2]) > 0 then return redis.call('ZADD', KEYS[3], 'NX', now + ARGV[2], ARGV[3] .. ARGV[4]) end
            return redis.call('LPUSH', KEYS[2], ARGV[4])
            """

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

    /// Renews what a host holds, so that it is not taken for lost. Keys: index, hosts, lost, served.
    /// Arguments: host, seconds of the lease, the queues it serves, tags. Answers 1 when others have taken over
    /// already.
    static let renew =
        clock + """
            if redis.call('EXISTS', KEYS[3]) == 1 then return 1 end
            redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[1])
            redis.call('HSET', KEYS[4], ARGV[1], ARGV[3])
            for item = 4, #ARGV do redis.call('ZADD', KEYS[1], 'XX', now, ARGV[item]) end
            return 0
            """

    /// Finds what was held for too long, or by hosts whose lease is over. Keys: hash, index, hosts, mutex, starts,
    /// served.
    /// Arguments: seconds of the visibility time-out, how many at most, our token, what our tags begin with, what lost
    /// keys begin with, seconds of a lease, where to go on looking for strange hosts.
    ///
    /// Answers where to go on, then tag, entry and whether it had started (0, 1) of each; if there are any, the mutex
    /// is ours for some seconds. Neither the index nor the hosts need be there: what somebody has removed of them
    /// is restored (an entry without a time gets the present one; an unknown host has a lease that is over).
    static let sweep =
        clock + """
            local limit, found, owners = tonumber(ARGV[2]), {}, {}
            if redis.call('HLEN', KEYS[1]) > redis.call('ZCARD', KEYS[2]) then
                for _, tag in ipairs(redis.call('HKEYS', KEYS[1])) do redis.call('ZADD', KEYS[2], 'NX', now, tag) end
            end
            local start = '^' .. string.gsub(ARGV[4], '%W', '%%%0') .. '(.*):(%d+)$'
            local old = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[6], 'LIMIT', ARGV[7], 1000)
            for _, tag in ipairs(old) do
                local host = string.match(tag, start)
                if host then redis.call('ZADD', KEYS[3], 'NX', 0, host) end
            end
            local offset = #old < 1000 and 0 or ARGV[7] + 1000
            for _, tag in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[1], 'LIMIT', 0, limit)) do
                found[#found + 1] = tag
            end
            for _, host in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, 10)) do
                redis.call('SET', ARGV[5] .. host, '1', 'EX', 86400)
                local mine, isEmpty = ARGV[4] .. host .. ':', true
                for _, tag in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
                    if string.sub(tag, 1, #mine) == mine then
                        isEmpty = false
                        if #found < limit then found[#found + 1] = tag end
                    end
                end
                if isEmpty then
                    redis.call('ZREM', KEYS[3], host)
                    redis.call('HDEL', KEYS[5], host)
                    redis.call('HDEL', KEYS[6], host)
                end
            end
            if #found == 0 or not redis.call('SET', KEYS[4], ARGV[3], 'NX', 'PX', 10000) then return {offset} end
            local entries = {offset}
            for _, tag in ipairs(found) do
                local entry = redis.call('HGET', KEYS[1], tag)
                if entry then
                    local host, number = string.match(tag, start)
                    if host and not owners[host] then owners[host] = redis.call('HGET', KEYS[5], host) or '' end
                    local ran = host and string.find(owners[host], ' ' .. number .. ' ', 1, true)
                    entries[#entries + 1] = tag
                    entries[#entries + 1] = entry
                    entries[#entries + 1] = ran and 1 or 0
                else
                    redis.call('ZREM', KEYS[2], tag)
                end
            end
            return entries
            """

    /// Puts messages back at the front of their lists, those that are still held. Keys: hash, index, mutex, lists.
    /// Arguments: our token of the mutex, or nothing; then for each tag the list's place among the keys and envelope.
    ///
    /// A list that is refused keeps nobody from the others; its messages stay held. That they may be removed from where
    /// they are held is found out first: else each attempt would add another copy of them.
    static let restore = """
        redis.call('HDEL', KEYS[1], '')
        redis.call('ZREM', KEYS[2], '')
        local refused
        for item = 2, #ARGV, 3 do
            local answer
            if redis.call('HEXISTS', KEYS[1], ARGV[item]) == 1 then
                answer = redis.pcall('RPUSH', KEYS[3 + ARGV[item + 1]], ARGV[item + 2])
                if type(answer) ~= 'table' then redis.call('HDEL', KEYS[1], ARGV[item]) end
            end
            if type(answer) == 'table' then
                refused = refused or answer
            else
                redis.call('ZREM', KEYS[2], ARGV[item])
            end
        end
        if redis.call('GET', KEYS[3]) == ARGV[1] then redis.call('DEL', KEYS[3]) end
        return refused or 1
        """

    /// Delayed messages join their queue before their time, the first due first: other software knows lists only, and
    /// holds by its eta what is not due. Keys: hosts, served, delayed, four lists. Arguments: the queue as in served.
    /// Answers how many, some hundreds at a time; −1 when a host lives that serves the queue, or may.
    static let handOver =
        clock + """
            for _, host in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now, '+inf')) do
                local queues = redis.call('HGET', KEYS[2], host)
                if not queues or string.find(queues, ARGV[1], 1, true) then return -1 end
            end
            local places, moved = {['0'] = 4, ['3'] = 5, ['6'] = 6, ['9'] = 7}, 0
            for _, item in ipairs(redis.call('ZRANGE', KEYS[3], 0, 499)) do
                redis.call('LPUSH', KEYS[places[string.sub(item, 1, 1)] or 4], string.sub(item, 2))
                redis.call('ZREM', KEYS[3], item)
                moved = moved + 1
            end
            return moved
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
        if not redis.call('LPOS', KEYS[1], ARGV[1]) then return 0 end
        if ARGV[2] ~= '' then redis.call('LPUSH', KEYS[2], ARGV[2]) end
        redis.call('LREM', KEYS[1], -1, ARGV[1])
        return 1
        """
}
