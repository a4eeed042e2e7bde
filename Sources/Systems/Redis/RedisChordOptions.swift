// How long what belongs to a chord is kept in Redis; the same values as the Python workers' on the same chords.

/// Celery's settings of the same meaning are named. Times are in seconds.
public struct RedisChordOptions: Sendable {
    /// `result_chord_expires`, else `result_expires`; 0: never.
    public var expiresSeconds = 86_400
    /// `result_expires` of the saved group of a nested header; 0: never.
    public var groupExpiresSeconds = 86_400
    /// `result_chord_join_timeout`: how long to wait for the results of a nested header, > 0.
    public var joinSeconds = 3.0
    /// How long a claim lasts from the moment the body is about to be published.
    public var publishSeconds = 21
    /// `result_backend_transport_options.result_chord_ordered`: parts in a sorted set; false: in a list.
    public var isOrdered = true

    public init() {}

    /// How long a claim lasts at first.
    var claimSeconds: Int { max(5, Int(min(2 * joinSeconds, 1e6))) }
    /// How long a finished chord is remembered.
    var doneSeconds: Int { max(2 * claimSeconds, 300) }
}
