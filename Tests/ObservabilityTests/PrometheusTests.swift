import CoreMetrics
import Ports
import TaskModel
import Testing

@testable import Observability

@Suite struct PrometheusTests {
    private let registry = PrometheusRegistry(help: ["jobs_total": "Jobs \\ done\nso far."])

    @Test func countersAreRenderedWithHelpAndType() {
        Counter(label: "jobs_total", dimensions: [("task", "a")], factory: registry).increment(by: 2)
        Counter(label: "jobs_total", dimensions: [("task", "a")], factory: registry).increment()
        #expect(
            registry.rendered() == """
                # HELP jobs_total Jobs \\\\ done\\nso far.
                # TYPE jobs_total counter
                jobs_total{task="a"} 3

                """)
    }

    @Test func labelsAreEscaped() {
        #expect(PrometheusText.labels([("a", "x\"y\\z\n")]) == #"a="x\"y\\z\n""#)
    }

    @Test func histogramsAddUpTheirBuckets() {
        let timer = Timer(label: "run_seconds", dimensions: [], factory: registry)
        timer.recordNanoseconds(2_000_000)
        timer.recordNanoseconds(5_000_000_000_000)
        let lines = registry.rendered().split(separator: "\n")
        #expect(lines.contains(#"run_seconds_bucket{le="0.001"} 0"#))
        #expect(lines.contains(#"run_seconds_bucket{le="0.005"} 1"#))
        #expect(lines.contains(#"run_seconds_bucket{le="3600"} 1"#))
        #expect(lines.contains(#"run_seconds_bucket{le="+Inf"} 2"#))
        #expect(lines.contains("run_seconds_count 2"))
    }

    @Test func unknownTasksShareOneName() {
        let metrics = TaskMetrics(registry: registry) { $0 == "known" }
        for name in ["known", "x1", "x2", "x3"] { metrics.observed(.received, of: task(name)) }
        let text = registry.rendered()
        #expect(text.contains(#"taskhost_tasks_received_total{task="known"} 1"#))
        #expect(text.contains(#"taskhost_tasks_received_total{task="other"} 3"#))
        #expect(!text.contains("x1"))
    }

    @Test func aRejectedMessageHasOneOutcome() {
        let metrics = TaskMetrics(registry: registry) { _ in true }
        let failure = TaskFailure(type: "Reject", module: "celery.exceptions", arguments: Array("[]".utf8))
        metrics.observed(.failed(failure), of: task("t"))
        metrics.observed(.rejected(requeue: false), of: task("t"))
        #expect(registry.rendered().contains(#"taskhost_tasks_total{task="t",state="rejected"} 1"#))
        #expect(!registry.rendered().contains("failed"))
    }

    private func task(_ name: String) -> ObservedTask {
        ObservedTask(
            id: "1", name: name, displayName: name, argsRepr: "", kwargsRepr: "", rootID: nil, parentID: nil,
            groupID: nil, retries: 0, etaText: nil, expiresText: nil, queue: "q", routingKey: "q", headers: [:],
            receivedAt: WallTime(microseconds: 0), readyAt: nil, beganAt: nil, usage: nil)
    }
}
