// Tasks that may have killed what serves many of them: they start one by one until it is known which one did.

/// When a process dies that carries several tasks at once (a bundle's zygote, a whole host), each that had begun is a
/// suspect and none is charged. A suspect's next start is alone: of the suspects of one scope one runs at a time. The
/// task that runs alone when it happens again is charged; any other end clears it of the suspicion.
struct Suspects {
    /// What died.
    enum Scope: Hashable, Sendable {
        /// The zygote of the bundle at this path.
        case bundle(String)
        case host
    }

    /// Ids remembered at a time; beyond it the oldest are forgotten, and start like any other.
    static let maxIDs = 1000

    private var scopes: [String: Scope] = [:]
    /// Ids in the order of their accusation; may name some that were cleared since.
    private var order: [String] = []
    private var running: [Scope: InFlightID] = [:]
    private var waiting: [Scope: [InFlightID]] = [:]

    /// - Parameter id: of the task; it stays a suspect when its message is published again.
    mutating func accuse(_ id: String, of scope: Scope) {
        if scopes.updateValue(scope, forKey: id) == nil { order.append(id) }
        if order.count > 2 * Self.maxIDs {
            order.removeAll { scopes[$0] == nil }
            for oldest in order.prefix(max(0, order.count - Self.maxIDs)) { scopes[oldest] = nil }
            order = Array(order.suffix(Self.maxIDs))
        }
    }

    mutating func clear(_ id: String) {
        if !scopes.isEmpty { scopes[id] = nil }
    }

    /// nil: it is no suspect.
    func scope(of id: String) -> Scope? { scopes.isEmpty ? nil : scopes[id] }

    /// False: another suspect of the scope runs; `ended` names this one when it is its turn.
    mutating func mayStart(_ item: InFlightID, _ scope: Scope) -> Bool {
        if let other = running[scope], other != item {
            waiting[scope, default: []].append(item)
            return false
        }
        running[scope] = item
        return true
    }

    /// Its start is over, or it will not start. The next ones that wait, in order, of which the first may be gone.
    mutating func ended(_ item: InFlightID) -> [InFlightID] {
        guard !running.isEmpty, let scope = running.first(where: { $0.value == item })?.key else { return [] }
        running[scope] = nil
        return waiting.removeValue(forKey: scope) ?? []
    }

    /// Nothing starts any more.
    mutating func forgetWaiting() { waiting.removeAll() }
}
