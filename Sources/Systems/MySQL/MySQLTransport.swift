// MySQL and MariaDB as the outside system they are to all others: a result store.
public import Ports
import SQLRows
public import TaskModel

public final class MySQLTransport: ResultTransport {
    public static let name = "mysql"
    public static let label = "MySQL"
    public static let schemes = MySQLAddress.schemes
    public static let shortForm = "mysql://"
    public static let forms = ["mysql://HOST:PORT/DATABASE"]
    public static let besideBroker = "in the broker's database"

    public let urls: [String]
    private let address: MySQLAddress
    private let loop: any EventLoop
    /// While it looks.
    private var examination: MySQLExamination?

    public init(
        _ urls: [String], on loop: any EventLoop, options: TransportOptions, log: @escaping (LogLevel, String) -> Void
    ) throws(TransportFailure) {
        self.urls = urls
        self.loop = loop
        address = try TransportFailure.reading(urls[0], MySQLAddress.init(url:))
    }

    public var description: String { address.description }

    public func results(_ options: ResultOptions) -> any ResultStore {
        SQLResults(address: address, loop: loop, options: options)
    }

    public func examine(_ question: ExaminationQuestion, done: @escaping ([Finding]) -> Void) {
        let examination = MySQLExamination(address, question, loop)
        self.examination = examination
        examination.run { [weak self] findings in
            self?.examination = nil
            done(findings)
        }
    }
}
