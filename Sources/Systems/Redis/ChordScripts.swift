// The atomic steps of a chord. Python workers take the same steps on the same keys (celery-protocol.md §4.5).
//
// Our claim has a key of its own. A Python worker that runs a member again leaves a chord alone that another has claimed
// and never looks again, so a claim of ours in Celery's key would leave the chord without its body if we died with it.
// Taskhosts heed both keys. At worst the body is called twice: when the member is delivered again while we live.

enum ChordScripts {
    /// Keys: parts, extra members, size, counted, saved group, Celery's claim, ours. Arguments: task id, part, ordered (1
    /// or 0), score, seconds to keep the parts and the saved group (0: for ever), seconds of a claim, our token.
    ///
    /// Answers the number of parts (-1: the chord is done), the number wanted (-1: not known yet), who has the claim.
    static let report = """
        local parts, extra, size, counted, group, theirs, ours = unpack(KEYS)
        local claim = redis.call('GET', theirs)
        if claim == 'done' then return {-1, -1, 'done'} end
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
        if claim then return {count, wanted, claim} end
        redis.call('SET', ours, ARGV[8], 'NX', 'EX', ARGV[7])
        return {count, wanted, redis.call('GET', ours)}
        """

    /// Keys: Celery's claim, ours, size. Arguments: our token, seconds. Answers 1 when the claim is ours.
    static let keep = """
        local theirs, ours, size = unpack(KEYS)
        if redis.call('EXISTS', theirs) == 1 then return 0 end
        local holder = redis.call('GET', ours)
        if holder == ARGV[1] then return redis.call('EXPIRE', ours, ARGV[2]) end
        if holder or redis.call('EXISTS', size) == 0 then return 0 end
        redis.call('SET', ours, ARGV[1], 'EX', ARGV[2])
        return 1
        """

    /// Keys: Celery's claim, ours, parts, extra members, size, counted. Arguments: our token, seconds to remember the end.
    static let finish = """
        if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
        redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6])
        redis.call('SET', KEYS[1], 'done', 'EX', ARGV[2])
        return 1
        """
}
