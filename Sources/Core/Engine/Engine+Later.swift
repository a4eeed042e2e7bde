// What waits in the broker for its time, as monitors see it.
import CeleryWire
import Logging
public import Ports
import TaskModel

extension Engine {
    /// Seconds until a broker that does not answer is done without: clients of Celery wait a second.
    private static let patience = 0.7

    public func laterTasks(_ ids: Set<String>?, limit: Int, done: @escaping (LaterTasks) -> Void) {
        let question = ScheduledQuestion(
            asker: .host, queues: core.intake.queues.map(\.declaration.name), ids: ids, limit: limit)
        var isOver = false
        let timer = loop.schedule(afterSeconds: Self.patience) { [log] in
            guard !isOver else { return }
            isOver = true
            log.warning("Tasks that wait in the broker for their time are not listed: the broker has not answered")
            done(LaterTasks())
        }
        broker.scheduled(question) { [weak self, log] answer in
            guard !isOver, let self else { return }
            isOver = true
            timer.cancel()
            switch answer {
            case .success(let found):
                done(LaterTasks(counts: found.counts, next: found.next.map(entry)))
            case .failure(let failure):
                log.warning("Tasks that wait in the broker for their time are not listed: \(failure)")
                done(LaterTasks())
            }
        }
    }

    private func entry(_ waiting: ScheduledMessage) -> LaterTasks.Entry {
        let delivery = waiting.delivery
        var message: TaskMessage
        do throws(WireError) {
            message = try core.decoder.decode(delivery, now: loop.clocks.wall)
        } catch {
            // It is refused when its time comes; until then what its headers say is shown. A body that was too long
            // to be kept is no fault.
            let headers = delivery.message.headers
            message = TaskMessage(id: headers["id"]?.text ?? "", name: headers["task"]?.text ?? "")
            message.rootID = headers["root_id"]?.text
            message.argsRepr = headers["argsrepr"]?.text ?? ""
            message.kwargsRepr = headers["kwargsrepr"]?.text ?? ""
            message.eta = headers["eta"]?.text.flatMap { ISO8601.parse($0) }
            message.priority = delivery.message.properties.priority ?? 0
        }
        let task = InFlightTask(
            phase: .scheduled, id: message.id, name: message.name, displayName: message.displayName,
            args: message.body[message.argsRange], kwargs: message.body[message.kwargsRange],
            argsRepr: message.argsRepr, kwargsRepr: message.kwargsRepr, eta: message.eta ?? waiting.due,
            exchange: delivery.exchange, routingKey: delivery.routingKey, priority: message.priority,
            redelivered: delivery.redelivered, isAcknowledged: false)
        return LaterTasks.Entry(task: task, queue: delivery.queue, rootID: message.rootID)
    }
}
