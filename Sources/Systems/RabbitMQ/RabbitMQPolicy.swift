// A queue's policy, as RabbitMQ's tools and its management API tell it.
struct RabbitMQPolicy: Equatable {
    var name: String
    /// What it defines: "max-length" …
    var keys: Set<String>
    /// Seconds that this queue lets a message be held; nil: it says nothing of that.
    var consumerTimeout: Double?
}
