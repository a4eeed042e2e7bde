import Configuration
import Logging
import Output
import PythonApp

/// What a worker says of itself when it starts.
struct Banner {
    let configuration: Configuration
    /// Without secrets.
    let broker: String
    let results: String
    let folders: [String]

    var text: String {
        let queues = configuration.queues.entries.map { entry in
            entry.name + (entry.share.map { " (share \($0))" } ?? "")
        }
        return """
            taskhost \(ProgramVersion.text)  \(configuration.nodeName)
              broker       \(broker)
              results      \(results)
              queues       \(queues.joined(separator: ", "))\(isByOrder ? "  (in this order)" : "")
              concurrency  \(configuration.slotsText)
              bundles      \(bundles)

            """
    }

    var metadata: Logger.Metadata {
        [
            "event": "starting", "version": .string(ProgramVersion.text), "node": .string(configuration.nodeName),
            "broker": .string(broker), "results": .string(results),
            "queues": .array(configuration.queues.entries.map { .string($0.name) }),
            "concurrency": .stringConvertible(configuration.slotsAtFirst),
            "plugins": .array(folders.map { .string($0) }),
        ]
    }

    private var bundles: String {
        let app = configuration.python.map { "\($0.name) (Python \($0.python), Celery \($0.celery))" }
        return ((app.map { [$0] } ?? []) + folders).joined(separator: ", ")
    }

    private var isByOrder: Bool {
        configuration.queues.entries.count > 1 && configuration.queues.entries.allSatisfy { $0.share == nil }
    }
}
