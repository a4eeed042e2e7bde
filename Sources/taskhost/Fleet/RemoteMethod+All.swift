// The table of commands (celery-wire.md §5.4, §5.7).
extension RemoteMethod {
    static let inspecting: [RemoteMethod] = [
        .init(name: "active", summary: "tasks that run"),
        .init(name: "active_queues", summary: "queues that are consumed"),
        .init(name: "clock", summary: "the logical clock of events"),
        .init(
            name: "conf", summary: "settings; true: the unset ones, too",
            parameters: [.init(name: "with_defaults", kind: .flag, isOptional: true)]),
        .init(name: "overview", summary: "what only taskhost's workers tell (for top)"),
        .init(name: "ping", summary: "who is there"),
        .init(
            name: "query_task", summary: "where these tasks are",
            parameters: [.init(name: "ids", kind: .text, isList: true)]),
        .init(
            name: "registered", summary: "offered tasks, with attributes: rate_limit …",
            parameters: [.init(name: "taskinfoitems", kind: .text, isOptional: true, isList: true)]),
        .init(name: "report", summary: "software and settings, as text"),
        .init(name: "reserved", summary: "tasks that wait for a slot"),
        .init(name: "revoked", summary: "ids of revoked tasks"),
        .init(name: "scheduled", summary: "tasks that wait for their time"),
        .init(name: "stats", summary: "figures"),
    ]

    static let controlling: [RemoteMethod] = [
        .init(
            name: "add_consumer", summary: "consume a queue from now on",
            parameters: [
                .init(name: "queue", kind: .text), .init(name: "exchange", kind: .text, isOptional: true),
                .init(name: "exchange_type", kind: .text, isOptional: true),
                .init(name: "routing_key", kind: .text, isOptional: true),
            ]),
        .init(
            name: "autoscale", summary: "bounds of the number of slots",
            parameters: [.init(name: "max", kind: .number), .init(name: "min", kind: .number)]),
        .init(
            name: "cancel_consumer", summary: "consume a queue no longer",
            parameters: [.init(name: "queue", kind: .text)]),
        .init(name: "disable_events", summary: "tell monitors nothing"),
        .init(name: "enable_events", summary: "tell monitors what happens"),
        .init(name: "heartbeat", summary: "send one heartbeat event now"),
        .init(
            name: "pause_queue", summary: "take nothing from it for now; taskhost's only",
            parameters: [.init(name: "queue", kind: .text)]),
        .init(
            name: "pool_grow", summary: "more slots",
            parameters: [.init(name: "n", kind: .number, isOptional: true)]),
        .init(name: "pool_restart", summary: "start the pool anew"),
        .init(
            name: "pool_shrink", summary: "fewer slots",
            parameters: [.init(name: "n", kind: .number, isOptional: true)]),
        .init(
            name: "rate_limit", summary: "starts of a task in a time: 10/m; 0: any",
            parameters: [.init(name: "task_name", kind: .text), .init(name: "rate_limit", kind: .text)]),
        .init(
            name: "resume_queue", summary: "take from it again", parameters: [.init(name: "queue", kind: .text)]),
        .init(
            name: "revoke", summary: "do not run these tasks",
            parameters: [.init(name: "task_id", kind: .text, isList: true)]),
        .init(
            name: "revoke_by_stamped_headers", summary: "do not run tasks with stamps (name=value)",
            parameters: [.init(name: "headers", kind: .text, isList: true)]),
        .init(name: "shutdown", summary: "end in good order; nobody answers", isAnswered: false),
        .init(
            name: "terminate", summary: "end these tasks, e.g. SIGTERM ID",
            parameters: [.init(name: "signal", kind: .text), .init(name: "task_id", kind: .text, isList: true)]),
        .init(
            name: "time_limit", summary: "soft and hard limit of a task, in seconds",
            parameters: [
                .init(name: "task_name", kind: .text), .init(name: "soft", kind: .number),
                .init(name: "hard", kind: .number, isOptional: true),
            ]),
    ]
}
