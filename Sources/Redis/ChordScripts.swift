// The atomic steps of a chord. Python workers take the same steps on the same keys (celery-wire.md §4.5).

enum ChordScripts {
    /// Keys: parts, extra members, size, counted, saved group, claim. Arguments: task id, part, ordered (1 or 0), score,
    /// seconds to keep the parts and the saved group (0: for ever), seconds of a claim, our token.
    ///
    /// Answers the number of parts (-1: the chord is done), the number wanted (-1: not known yet), who has the claim.
    static let report = """
        local parts, extra, size, counted, group, claim = unpack(KEYS)
        if redis.call('GET', claim) == 'done' then return {-1, -1, 'done'} end
        local name = ARGV[1] .. ':' .. ARGV[4]
        local ordered = ARGV[3] == '1'
        if redis.call('SADD', counted, name) == 1 then
            if ordered then
                redis.call('ZADD', parts, ARGV[4], ARGV[2])
            else
                redis.call('RPUSH', parts, ARGV[2])
            end
        end
        local count = redis.call(ordered and 'ZCARD' or 'LLEN', parts)
        local keep, keepGroup = tonumber(ARGV[5]), tonumber(ARGV[6])
        if keep > 0 then
            for index = 1, 4 do redis.call('EXPIRE', KEYS[index], keep) end
            if keepGroup > 0 then redis.call('EXPIRE', group, keepGroup) end
        end
        local known = redis.call('GET', size)
        if not known then return {count, -1, ''} end
        local wanted = tonumber(known) + tonumber(redis.call('GET', extra) or 0)
        if count ~= wanted then return {count, wanted, ''} end
        redis.call('SET', claim, ARGV[8], 'NX', 'EX', ARGV[7])
        return {count, wanted, redis.call('GET', claim)}
        """

    /// Keys: claim, size. Arguments: our token, seconds. Answers 1 when the claim is ours.
    static let keep = """
        local holder = redis.call('GET', KEYS[1])
        if holder == ARGV[1] then return redis.call('EXPIRE', KEYS[1], ARGV[2]) end
        if holder or redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
        redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
        return 1
        """

    /// Keys: claim, parts, extra members, size, counted. Arguments: our token, seconds to remember the end.
    static let finish = """
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
        redis.call('SET', KEYS[1], 'done', 'EX', ARGV[2])
        return 1
        """
}
