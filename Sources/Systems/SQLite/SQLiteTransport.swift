// A SQLite file as the outside system it is to all others: broker, result store, place of shared limits.
import Linux
public import Ports
public import TaskModel

public final class SQLiteTransport: BrokerTransport, ResultTransport, LimitTransport {
    public static let name = "sqlite"
    public static let label = "SQLite"
    public static let schemes = SQLiteAddress.schemes
    public static let shortForm = "sqlite:"
    public static let forms = ["sqlite:///PATH"]
    public static let servesOneMachine = true
    public static let besideBroker = "in the broker's file"

    public let urls: [String]
    /// One for all parts: they share its thread.
    private let file: SQLiteFile
    private let loop: any EventLoop
    /// What doctor looks at, while it does.
    private var trial: FileTrial?

    public init(
        _ urls: [String], on loop: any EventLoop, options: TransportOptions, log: @escaping (LogLevel, String) -> Void
    ) throws(TransportFailure) {
        self.urls = urls
        self.loop = loop
        do throws(SQLiteFailure) {
            file = SQLiteFile(address: try SQLiteAddress(url: urls[0]), loop: loop)
        } catch {
            throw TransportFailure(error.detail, fix: error.fix)
        }
    }

    public var description: String { file.address.description }
    public var place: String { file.address.path }

    public func broker() -> any Broker { SQLiteBroker(file: file) }
    public func control() -> any ControlChannel { SQLiteControl(file: file) }
    /// A file would have to be written for each.
    public func events() -> (any EventChannel)? { nil }
    public func eventSource() -> (any EventSource)? { nil }
    public func leadership() -> any Leadership { SQLiteLeadership(file: file) }
    public func results(_ options: ResultOptions) -> any ResultStore { SQLiteResults(file: file) }

    public func limits(keyPrefix: String?, log: @escaping (LogLevel, String) -> Void) -> any SharedLimits {
        SQLiteLimits(file: file, log: log)
    }

    public func isServed(byHostOf description: String) -> Bool {
        do throws(SQLiteFailure) {
            return Files.resolved(try SQLiteAddress(url: description).path) == Files.resolved(file.address.path)
        } catch {
            // Another kind of broker.
            return false
        }
    }

    public func examine(_ question: ExaminationQuestion, done: @escaping ([Finding]) -> Void) {
        let path = file.address.path
        let place = question.tools.databaseFile(path, question.subject)
        // One that is not there is not made for the sake of looking.
        guard place.level != .fail, Files.exists(path) else { return done([place]) }
        trial = FileTrial(SQLiteBroker(file: file)) { [self] failure in
            let finding = failure.map { Finding.fail(question.subject, $0.detail, fix: $0.fix) } ?? place
            // Not from within a callback of its own.
            _ = loop.schedule(afterSeconds: 0) { [self] in
                trial?.broker.close { [self] in
                    trial = nil
                    done([finding])
                }
            }
        }
    }

    public func unanswered(_ question: ExaminationQuestion) -> Finding {
        .fail(question.subject, "\(file.address.path) cannot be opened", fix: nil)
    }
}

/// Opens the file, and waits for the outcome.
private final class FileTrial: BrokerEvents {
    let broker: SQLiteBroker
    private var done: ((BrokerFailure?) -> Void)?

    init(_ broker: SQLiteBroker, done: @escaping (BrokerFailure?) -> Void) {
        self.broker = broker
        self.done = done
        broker.connect(events: self)
    }

    private func end(_ failure: BrokerFailure?) {
        let done = done
        self.done = nil
        done?(failure)
    }

    func linkUp() { end(nil) }
    func linkDown(reason: String, retryInSeconds: Double) { end(BrokerFailure(.unreachable, reason)) }
    func fatal(_ failure: BrokerFailure) { end(failure) }
    func delivered(_ delivery: Delivery) {}
    func blocked(_ reason: String?) {}
    func consumerCancelled(queue: String) {}
}
