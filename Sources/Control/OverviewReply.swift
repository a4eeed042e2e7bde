// The reply to `overview`, a command of our own: what Celery's commands have no place for.
import Ports
import TaskhostJSON

enum OverviewReply {
    static func json(_ engine: any EngineControl, sendsTaskEvents: Bool) -> JSON {
        ["task_events": .bool(sendsTaskEvents)]
    }
}
