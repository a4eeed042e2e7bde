// PostgreSQL as the outside system it is to all others: a result store, and a broker (PostgreSQLTransport+Broker.swift).
public import Ports
import SQLRows
public import TaskModel

public final class PostgreSQLTransport: ResultTransport {
    public static let name = "postgresql"
    public static let label = "PostgreSQL"
    public static let schemes = PostgreSQLAddress.schemes
    public static let shortForm = "postgresql://"
    public static let forms = ["postgresql://HOST:PORT/DATABASE"]
    public static let besideBroker = "in the broker's database"

    public let urls: [String]
    private let address: PostgreSQLAddress
    private let loop: any EventLoop
    /// One for all parts of the broker but those that listen.
    let line: BrokerLine
    /// While it looks.
    private var examination: PostgreSQLExamination?
    private var brokerExamination: BrokerExamination?

    public init(
        _ urls: [String], on loop: any EventLoop, options: TransportOptions, log: @escaping (LogLevel, String) -> Void
    ) throws(TransportFailure) {
        self.urls = urls
        self.loop = loop
        address = try TransportFailure.reading(urls[0], PostgreSQLAddress.init(url:))
        line = BrokerLine(address: address, loop: loop)
    }

    public var description: String { address.description }

    public func results(_ options: ResultOptions) -> any ResultStore {
        SQLResults(address: address, loop: loop, options: options)
    }

    public func examine(_ question: ExaminationQuestion, done: @escaping ([Finding]) -> Void) {
        if question.role == .broker {
            let examination = BrokerExamination(address, question, loop)
            brokerExamination = examination
            return examination.run { [weak self] findings in
                self?.brokerExamination = nil
                done(findings)
            }
        }
        let examination = PostgreSQLExamination(address, question, loop)
        self.examination = examination
        examination.run { [weak self] findings in
            self?.examination = nil
            done(findings)
        }
    }
}
