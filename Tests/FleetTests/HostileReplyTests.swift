// Texts and numbers of workers' replies, as commands show them.
import TaskhostJSON
import Testing

@testable import Fleet
@testable import Output

@Suite("Hostile replies")
struct HostileReplyTests {
    private static let evil = "a\u{1B}[2J\nforged\r\u{9B}31m\u{202E}\u{2028}z"

    @Test("status and replies show hostile names by number")
    func fleet() {
        let reply: JSON = [["id": .string(Self.evil), "name": .string(Self.evil), "args": [], "time_start": 1000]]
        let fleet = FleetStatus([
            "active": [JSONMember(key: Self.evil, value: reply)],
            "active_queues": [JSONMember(key: Self.evil, value: [["name": .string(Self.evil)]])],
        ])
        let shown =
            FleetText.lines(fleet, at: 1012)
            + ReplyText.lines(node: Self.evil, ["ok": .string(Self.evil)])
            + ReplyText.lines(node: Self.evil, ["error": .string(Self.evil)])
        for line in shown { #expect(Printable.line(line) == line) }
        #expect(shown.contains { $0.contains("\\nforged") })
    }

    @Test("totals beyond the largest number are shown as that number")
    func totals() {
        let most = Int64.max
        func fleet(_ totals: [Int64], slots: Int64, started: Int64) -> FleetStatus {
            let stats: JSON = [
                "total": .object(totals.enumerated().map { JSONMember(key: "t\($0.offset)", value: .int($0.element)) }),
                "pool": ["max-concurrency": .int(slots)],
            ]
            let overview: JSON = ["queues": [["name": "q", "started": .int(started)]], "tasks": []]
            let names = ["w1", "w2"]
            return FleetStatus([
                "stats": names.map { JSONMember(key: $0, value: stats) },
                "overview": names.map { JSONMember(key: $0, value: overview) },
                "active_queues": names.map { JSONMember(key: $0, value: [["name": "q"]]) },
            ])
        }
        #expect(fleet([most, most], slots: 1, started: 0).nodes.map(\.total) == [most, most])
        #expect(fleet([.min, .min, 5], slots: 1, started: 0).nodes[0].total == .min + 5)
        var model = TopModel()
        model.update(fleet([.min, .min], slots: most, started: .min), at: 1)
        model.update(fleet([most, most], slots: most, started: most), at: 2)
        model.update(fleet([.min], slots: .min, started: .min), at: 3)
        #expect(!TopScreen.lines(model, columns: 100, rows: 20, at: 3).isEmpty)
    }
}
