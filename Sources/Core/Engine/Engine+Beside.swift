// The driver's part of what takes its time: done beside the loop or asked of the store, and handed back as an event.
import CeleryWire
import Logging
import Ports
import TaskModel

extension Engine {
    func decode(_ delivery: Delivery) {
        let (decoder, now) = (core.decoder, loop.clocks.wall)
        loop.beside {
            decoder.decoded(delivery, now: now)
        } done: { [weak self] in
            self?.handle(.decoded(delivery, $0))
        }
    }

    func make(_ job: SequelJob, _ id: InFlightID) {
        loop.beside {
            job.made()
        } done: { [weak self] in
            self?.handle(.made(id, $0))
        }
    }

    /// A store that does not answer makes the task run: twice is better than never.
    func lookUp(_ id: String, _ receipt: Receipt) {
        guard let store else { return handle(.lookedUp(receipt, nil)) }
        store.fetch(id) { [unowned self] answer in
            var document: [UInt8]?
            do {
                document = try answer.get()
            } catch {
                log.warning("Could not look up the result of \(id): \(error)")
            }
            handle(.lookedUp(receipt, document))
        }
    }
}
