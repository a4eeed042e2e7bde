// What of the Redis broker can be set.

/// Times are in seconds.
public struct RedisBrokerOptions: Sendable {
    /// `broker_transport_options.visibility_timeout`: what was not renewed for so long goes back to its queue. Ours
    /// is renewed while we hold it, however long that is.
    public var visibilitySeconds = 3600.0
    /// What a host that says nothing for so long held goes back to its queues.
    public var leaseSeconds = 30.0

    public init() {}

    var renewalSeconds: Double { leaseSeconds / 3 }
}
