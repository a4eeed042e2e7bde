// Messages on their way into the table: what gathers while a batch is under way makes up the next one.
import Ports

/// Belongs to the loop's thread. A batch is one statement and one transaction, and confirmed once that is committed.
final class Publisher {
    private struct Item {
        let message: NewMessage
        let done: (BrokerFailure?) -> Void
    }

    /// Of one batch.
    private static let most = (messages: 1_000, bytes: 4 << 20)
    private static let maxWaiting = 100_000
    private static let maxWaitingBytes = 256 << 20

    private let line: BrokerLine
    private var waiting: [Item] = []
    private var waitingBytes = 0
    private var isUnderWay = false
    /// So many of those that wait go alone: one of them is what the server does not take.
    private var alone = 0

    init(line: BrokerLine) { self.line = line }

    func add(_ message: NewMessage, done: @escaping (BrokerFailure?) -> Void) {
        guard waiting.count < Self.maxWaiting, waitingBytes < Self.maxWaitingBytes else {
            return done(
                BrokerFailure(
                    .unreachable, "\(waiting.count) messages already wait for \(line.address)",
                    fix: "See why it is not reachable"))
        }
        waiting.append(Item(message: message, done: done))
        waitingBytes += message.bytes
    }

    func turnEnd() {
        guard !isUnderWay, !waiting.isEmpty else { return }
        let batch = nextBatch()
        isUnderWay = true
        let messages = batch.map(\.message)
        let bytes = messages.reduce(0) { $0 + $1.bytes }
        line.ask(MessageStatements.insert(messages), bytes: bytes) { [weak self] answer in
            guard let self else { return }
            isUnderWay = false
            answered(batch, answer)
            // The answer came within a turn, or after its end.
            turnEnd()
        }
    }

    private func nextBatch() -> [Item] {
        var (count, bytes) = (0, 0)
        let most = alone > 0 ? 1 : Self.most.messages
        while count < min(waiting.count, most), count == 0 || bytes < Self.most.bytes {
            bytes += waiting[count].message.bytes
            count += 1
        }
        alone = max(0, alone - 1)
        defer { waiting.removeFirst(count) }
        waitingBytes -= bytes
        return Array(waiting.prefix(count))
    }

    private func answered(_ batch: [Item], _ answer: Result<[Rows], StoreFailure>) {
        switch answer {
        case .success(let rows):
            let isClaimed = batch.contains { $0.message.claim != nil }
            let lost = isClaimed ? Set((rows.first ?? []).compactMap { $0.integer(0) as Int64? }) : []
            for (index, item) in batch.enumerated() {
                item.done(lost.contains(Int64(index) + 1) ? .claimLost : nil)
            }
        case .failure(let failure) where failure.isPermanent && batch.count > 1:
            waiting.insert(contentsOf: batch, at: 0)
            waitingBytes += batch.reduce(0) { $0 + $1.message.bytes }
            alone = batch.count
        case .failure(let failure): for item in batch { item.done(BrokerFailure(failure)) }
        }
    }
}

extension BrokerFailure {
    static let claimLost = BrokerFailure(.claimLost, "Others have taken over the message this belongs to")
    static let gone = BrokerFailure(.closed, "The broker was closed before it was done")

    init(_ failure: StoreFailure) {
        let code: Code =
            switch failure.code {
            case .unavailable: .unreachable
            case .refused: .loginRefused
            case .forbidden: .accessRefused
            case .unfit: .unsupported
            }
        self.init(code, failure.detail, fix: failure.fix)
    }
}

extension Result where Failure == StoreFailure {
    var forBroker: Result<Success, BrokerFailure> { mapError(BrokerFailure.init) }
}
