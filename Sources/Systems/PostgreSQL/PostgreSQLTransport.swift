// PostgreSQL as the outside system it is to all others: a result store.
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
    /// While it looks.
    private var examination: PostgreSQLExamination?

    public init(
        _ urls: [String], on loop: any EventLoop, options: TransportOptions, log: @escaping (LogLevel, String) -> Void
    ) throws(TransportFailure) {
        self.urls = urls
        self.loop = loop
        do throws(StoreFailure) {
            address = try PostgreSQLAddress(url: urls[0])
        } catch {
            throw TransportFailure(error.detail, fix: error.fix)
        }
    }

    public var description: String { address.description }

    public func results(_ options: ResultOptions) -> any ResultStore {
        SQLResults(address: address, loop: loop, options: options)
    }

    public func examine(_ question: ExaminationQuestion, done: @escaping ([Finding]) -> Void) {
        let examination = PostgreSQLExamination(address, question, loop)
        self.examination = examination
        examination.run { [weak self] findings in
            self?.examination = nil
            done(findings)
        }
    }

    public func unanswered(_ question: ExaminationQuestion) -> Finding {
        .fail(question.subject, "\(description) does not answer", fix: "check that PostgreSQL runs there")
    }
}
