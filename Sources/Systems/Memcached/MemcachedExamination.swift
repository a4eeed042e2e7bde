// What `taskhost doctor` looks at in memcached: each server, how it treats what has no more room, and how large an item
// may be.
import Ports
import TaskModel

/// Changes nothing there.
final class MemcachedExamination {
    private let address: MemcachedAddress
    private let question: ExaminationQuestion
    private let loop: any EventLoop
    private var links: [MemcachedLink] = []
    private var findings: [[Finding]?]
    private var done: (([Finding]) -> Void)?

    init(_ address: MemcachedAddress, _ question: ExaminationQuestion, _ loop: any EventLoop) {
        self.address = address
        self.question = question
        self.loop = loop
        findings = address.servers.map { _ in nil }
    }

    func run(done: @escaping ([Finding]) -> Void) {
        self.done = done
        links = address.servers.enumerated().map { index, server in
            MemcachedLink(server: server, loop: loop) { [weak self] event in
                switch event {
                case .up: self?.ask(index)
                case .down(let reason, _):
                    self?.found(index, [self?.failure(reason)].compactMap { $0 })
                }
            }
        }
        for link in links { link.connect() }
    }

    private func failure(_ reason: String) -> Finding {
        .fail(question.subject, reason, fix: "check that memcached runs there, and that we may reach it")
    }

    private func ask(_ index: Int) {
        var general: [String: String] = [:]
        links[index].send(.stats(nil)) { reply in
            if case .stats(let stats)? = reply { general = stats }
        }
        links[index].send(.stats("settings")) { [self] reply in
            var settings: [String: String] = [:]
            if case .stats(let stats)? = reply { settings = stats }
            if let reply, case .failed(let failure)? = MemcachedErrorKind(reply, at: address.servers[index]) {
                return found(index, [.fail(question.subject, failure.detail, fix: failure.fix)])
            }
            found(index, judge("memcached \(general["version"] ?? "?") at \(links[index].server)", general, settings))
        }
        links[index].flush()
    }

    private func judge(_ place: String, _ general: [String: String], _ settings: [String: String]) -> [Finding] {
        let subject = question.subject
        var found: [Finding] = []
        if settings["evictions"] == "off" {
            found.append(.ok(subject, "\(place); it throws nothing away when it is full (-M): results wait"))
        } else if let count = general["evictions"].flatMap({ Int($0) }), count > 0 {
            found.append(
                .warn(
                    subject, "\(place) has thrown \(count) items away since it was started, results perhaps",
                    fix: "give it more memory (-m), shorten results.expires, or start it with -M"))
        } else {
            found.append(
                .note(
                    subject, "\(place): when it is full it throws results away",
                    fix: "give it memory for all results of results.expires (-m), or start it with -M"))
        }
        if let size = settings["item_size_max"].flatMap({ Int($0) }) {
            found.append(.note(subject, "\(place) takes results of up to \(size) bytes, its -I"))
        }
        return found
    }

    private func found(_ index: Int, _ list: [Finding]) {
        guard findings[index] == nil else { return }
        findings[index] = list
        guard let done, !findings.contains(where: { $0 == nil }) else { return }
        self.done = nil
        var all = findings.flatMap { $0 ?? [] }
        all.append(
            .note(
                question.subject, "memcached keeps results in memory: a restart forgets them",
                fix: "use Redis or a database for results that must outlive it"))
        // Not from within a callback of its own.
        _ = loop.schedule(afterSeconds: 0) { [self] in
            for link in links { link.close() }
            links = []
            done(all)
        }
    }
}
