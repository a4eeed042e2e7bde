// Which results are looked for, by whom, and what is known of them. On the loop's thread.
import CeleryWire
import Client
import Ports

final class ResultTracker {
    private final class Entry {
        var subscription: (any ResultSubscription)?
        var latest: ReceivedMeta?
        var listeners: [UInt64: (ReceivedMeta) -> Void] = [:]
        /// Results of which the program still has hold, and which come once only.
        var holders = 0
    }

    private let client: TaskClient
    private var entries: [String: Entry] = [:]

    init(client: TaskClient) { self.client = client }

    /// From now on nothing of this result is missed, though there is no listener yet.
    func hold(_ taskID: String) { entry(taskID).holders += 1 }

    func release(_ taskID: String) {
        guard let entry = entries[taskID] else { return }
        entry.holders -= 1
        dropIfUnused(taskID, entry)
    }

    /// Calls `changed` with what is known at once, and with each later state, until `unlisten`.
    func listen(_ taskID: String, _ changed: @escaping (ReceivedMeta) -> Void) -> UInt64 {
        let ticket = Ticket.next()
        let entry = entry(taskID)
        entry.listeners[ticket] = changed
        // A new entry gets the present state from its own subscription, now or later.
        if let known = entry.latest { changed(known) }
        return ticket
    }

    func unlisten(_ taskID: String, _ ticket: UInt64) {
        guard let entry = entries[taskID] else { return }
        entry.listeners[ticket] = nil
        dropIfUnused(taskID, entry)
    }

    /// What is known without asking the store.
    func known(_ taskID: String) -> ReceivedMeta? { entries[taskID]?.latest }

    func forget(_ taskID: String) { entries[taskID]?.latest = nil }

    func close() {
        for entry in entries.values { entry.subscription?.cancel() }
        entries = [:]
    }

    private func entry(_ taskID: String) -> Entry {
        if let entry = entries[taskID] { return entry }
        let entry = Entry()
        entries[taskID] = entry
        entry.subscription = client.follow(taskID) { [weak entry] meta in
            guard let entry else { return }
            entry.latest = meta
            // A listener that gets the final state stops listening: the list may change while it is called.
            for (ticket, changed) in entry.listeners where entry.listeners[ticket] != nil { changed(meta) }
        }
        return entry
    }

    private func dropIfUnused(_ taskID: String, _ entry: Entry) {
        guard entry.holders <= 0, entry.listeners.isEmpty else { return }
        entry.subscription?.cancel()
        entries[taskID] = nil
    }
}
