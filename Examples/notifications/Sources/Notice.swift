// Who is told what, and what became of it: the values that the tasks hand on. Los valores que las tareas se pasan.
import TaskhostSDK

enum Channel: String, Codable, Sendable {
    case mail, sms, push
}

/// Who is told, and how this person wants it. A quién, y cómo lo quiere.
struct Person: Codable, Sendable {
    var name: String
    /// What there is of: an address, a number, a device. Lo que haya de: dirección, número, dispositivo.
    var mail: String?
    var sms: String?
    var push: String?
    /// In the order of preference. En orden de preferencia.
    var channels: [Channel]
    /// True: by all of them; false: by the first that works. Por todos, o por el primero que funcione.
    var everywhere: Bool
}

struct Notice: Codable, Sendable {
    var title: String
    var text: String
}

/// What became of one way to a person. Lo que pasó con un camino.
struct Delivery: Codable, Sendable {
    /// By which it arrived; nil: by none. Por cuál llegó; nil: por ninguno.
    var channel: Channel?
    /// Those before it, and why they did not work. Los anteriores, y por qué no sirvieron.
    var tried: [Tried]

    struct Tried: Codable, Sendable {
        var channel: Channel
        var reason: String
    }
}

/// What became of all ways to one person. Lo que pasó con una persona.
struct Outcome: Codable, Sendable {
    var name: String
    var reached: [Channel]
    var tried: [Delivery.Tried]
}

/// Why a channel has not taken a notice. Por qué un canal no la aceptó.
struct DeliveryProblem: Error {
    /// Trying again later may help. Reintentar puede servir.
    var mayPass: Bool
    var reason: String
}
