// A task for each channel; what they have in common. Una tarea por canal, y lo que tienen en común.
import Glibc
import TaskhostSDK

protocol ChannelTask: TaskHandler where Output == Delivery {
    var person: Person { get }
    var notice: Notice { get }
    /// The channels to fall back upon, in this order. Los canales que quedan, en este orden.
    var others: [Channel] { get }
    var tried: [Delivery.Tried] { get }
    static var channel: Channel { get }

    /// `id` is the task's: a gateway that is asked twice, after a crash, can tell by it.
    func deliver(id: String) async throws(DeliveryProblem)
}

extension ChannelTask {
    func run(_ task: TaskContext) async throws -> Delivery {
        do throws(DeliveryProblem) {
            try await deliver(id: task.id)
            return Delivery(channel: Self.channel, tried: tried)
        } catch {
            if error.mayPass, task.retries < task.maxRetries ?? 2 {
                throw Retry(after: .seconds(1 << task.retries), reason: error.reason)
            }
            // Not a failure, which would take the report with it. No es un fallo: se llevaría el informe.
            let tried = tried + [Delivery.Tried(channel: Self.channel, reason: error.reason)]
            guard !others.isEmpty else { return Delivery(channel: nil, tried: tried) }
            // The next channel takes this task's place, in the chord, too. El canal siguiente ocupa su lugar.
            throw Replace(with: try Route(person: person, notice: notice, channels: others, tried: tried).signature)
        }
    }
}

/// The channels to one person, one after the other until one works. Un canal tras otro, hasta que uno funcione.
struct Route {
    var person: Person
    var notice: Notice
    var channels: [Channel]
    var tried: [Delivery.Tried] = []

    var signature: Signature {
        get throws {
            let keywords: [String: JSON] = [
                "person": try JSON(encoding: person), "notice": try JSON(encoding: notice),
                "others": try JSON(encoding: Array(channels.dropFirst())), "tried": try JSON(encoding: tried),
            ]
            return Signature("notify.\(channels[0])", arguments: [], keywords: keywords)
        }
    }
}

/// One process sends many mails, over one connection. Un proceso, muchos correos.
struct MailNotice: ChannelTask {
    static let channel = Channel.mail
    static let options = TaskOptions(
        name: "notify.mail", hardLimit: .seconds(60), retry: .atMost(2), keep: 100, doc: "A notice by mail.")

    @Arg var person: Person
    @Arg var notice: Notice
    @Arg var others: [Channel] = []
    @Arg var tried: [Delivery.Tried] = []

    func deliver(id: String) async throws(DeliveryProblem) {
        do throws(MailProblem) {
            try await MailServer.deliver(person.mail ?? "", notice.title, notice.text, id: id)
        } catch {
            switch error {
            case .later(let reason): throw DeliveryProblem(mayPass: true, reason: reason)
            case .never(let reason): throw DeliveryProblem(mayPass: false, reason: reason)
            }
        }
    }
}

/// What the contract with the gateway allows: a hundred a minute, by all workers together. / Lo que permite el contrato: cien por
/// minuto, entre todos los workers.
struct SMS: ChannelTask {
    static let channel = Channel.sms
    static let options = TaskOptions(
        name: "notify.sms", hardLimit: .seconds(30), retry: .atMost(2), doc: "A notice by SMS.", rateLimit: "100/m",
        limitScope: .global)

    @Arg var person: Person
    @Arg var notice: Notice
    @Arg var others: [Channel] = []
    @Arg var tried: [Delivery.Tried] = []

    func deliver(id: String) async throws(DeliveryProblem) {
        let message = ["id": id, "to": person.sms ?? "", "text": "\(notice.title): \(notice.text)"]
        try Gateway.post(message, to: "SMS_GATEWAY")
    }
}

/// Two at a time: the service takes no more connections. De a dos: el servicio no acepta más conexiones.
struct Push: ChannelTask {
    static let channel = Channel.push
    static let options = TaskOptions(
        name: "notify.push", hardLimit: .seconds(30), retry: .atMost(2), doc: "A notice to a device.", maxConcurrent: 2,
        limitScope: .global)

    @Arg var person: Person
    @Arg var notice: Notice
    @Arg var others: [Channel] = []
    @Arg var tried: [Delivery.Tried] = []

    func deliver(id: String) async throws(DeliveryProblem) {
        let message = ["id": id, "to": person.push ?? "", "title": notice.title, "text": notice.text]
        try Gateway.post(message, to: "PUSH_SERVICE")
    }
}

enum Gateway {
    /// - Parameter variable: of the environment, with the gateway's address; taskhost.toml passes it on.
    static func post(_ message: [String: String], to variable: String) throws(DeliveryProblem) {
        guard let address = getenv(variable).flatMap({ WebAddress(String(cString: $0)) }) else {
            throw DeliveryProblem(mayPass: false, reason: "\(variable) holds no http address")
        }
        let members = message.sorted { $0.key < $1.key }.map { JSONMember(key: $0.key, value: .string($0.value)) }
        do throws(ConnectionLost) {
            let status = try HTTPReply.post(JSON.object(members).bytes, to: address).status
            guard status != 200 else { return }
            throw ConnectionLost(reason: "status \(status)")
        } catch {
            throw DeliveryProblem(mayPass: !error.reason.hasPrefix("status 4"), reason: error.reason)
        }
    }
}
