// What every look of `taskhost doctor` at a database does besides its questions: a link of its own, and one end.
public import Ports

/// What a look needs of a link.
public protocol LookLink: AnyObject {
    func connect()
    func close()
}

/// Belongs to the loop's thread. Its findings are told once.
public final class DatabaseLook<Link: LookLink> {
    public private(set) var link: Link?
    private let question: ExaminationQuestion
    private let loop: any EventLoop
    private let server: String
    private var findings: [Finding] = []
    private var done: (([Finding]) -> Void)?

    /// - Parameter server: what should run there: "MySQL".
    public init(_ question: ExaminationQuestion, _ loop: any EventLoop, server: String) {
        self.question = question
        self.loop = loop
        self.server = server
    }

    public var isOver: Bool { done == nil }

    public func begin(_ link: Link, done: @escaping ([Finding]) -> Void) {
        self.done = done
        self.link = link
        link.connect()
    }

    /// - Parameter up: asks the first question.
    public func changed(_ event: LinkEvent, up: () -> Void) {
        switch event {
        case .up: up()
        case .down(let reason, _): fail(reason, fix: "check that \(server) runs there")
        // Also told as down.
        case .refused(let failure): fail(failure.detail, fix: failure.fix)
        }
    }

    public func add(_ finding: Finding) { findings.append(finding) }

    /// With that as the last finding.
    public func fail(_ detail: String, fix: String?) { end(.fail(question.subject, detail, fix: fix)) }

    public func end(_ last: Finding? = nil) {
        guard let done else { return }
        self.done = nil
        if let last { add(last) }
        // Not from within a callback of its own.
        _ = loop.schedule(afterSeconds: 0) { [self] in
            link?.close()
            link = nil
            done(findings)
        }
    }
}
