// MongoDB as the outside system it is to all others: a result store.
public import Ports
public import TaskModel

public final class MongoDBTransport: ResultTransport {
    public static let name = "mongodb"
    public static let label = "MongoDB"
    public static let schemes = MongoDBAddress.schemes
    public static let shortForm = "mongodb://"
    public static let forms = ["mongodb://HOST:PORT/DATABASE"]
    public static let besideBroker = "in the broker's MongoDB"

    public let urls: [String]
    private let address: MongoDBAddress
    private let loop: any EventLoop
    /// While it looks.
    private var thread: MongoDBThread?

    public init(
        _ urls: [String], on loop: any EventLoop, options: TransportOptions, log: @escaping (LogLevel, String) -> Void
    ) throws(TransportFailure) {
        self.urls = urls
        self.loop = loop
        address = try TransportFailure.reading(urls[0], MongoDBAddress.init(url:))
    }

    public var description: String { address.description }

    public func results(_ options: ResultOptions) -> any ResultStore {
        MongoDBResults(address: address, loop: loop, options: options)
    }

    /// Changes nothing there.
    public func examine(_ question: ExaminationQuestion, done: @escaping ([Finding]) -> Void) {
        let thread = MongoDBThread(address, MongoDBCollections(address, question.results))
        self.thread = thread
        thread.run(.examine, on: loop) { [weak self, address] outcome in
            self?.thread?.end()
            self?.thread = nil
            done(Self.findings(outcome, question.subject, "\(address)"))
        }
    }

    private static func findings(_ outcome: MongoDBOutcome, _ subject: String, _ place: String) -> [Finding] {
        switch outcome {
        case .failed(let error):
            let failure = error.failure(at: place)
            return [.fail(subject, failure.detail, fix: failure.fix ?? "check that MongoDB runs there")]
        case .examined(let facts):
            let server = "MongoDB \(facts.version) at \(place)"
            if !facts.takesWrites {
                return [
                    .fail(
                        subject, "\(server) takes no writes: it is a secondary",
                        fix: "name the replica set (?replicaSet=NAME): its primary is found")
                ]
            }
            if let refusal = facts.readRefusal {
                return [
                    .fail(
                        subject, "\(server): we may not read the results: \(refusal)",
                        fix: "give the user of the address readWrite on the database")
                ]
            }
            return [.ok(subject, server)]
        case .done, .documents, .stored: return []
        }
    }
}
