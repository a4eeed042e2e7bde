// Commands that change a worker or its tasks, or have it do something.

extension CommandTable {
    static let acting: [RemoteCommand] = [
        .init(
            "add_consumer", .changes, CommandHandler.addConsumer, "consume a queue from now on",
            [
                .text("queue"), .text("exchange", isOptional: true), .text("exchange_type", isOptional: true),
                .text("routing_key", isOptional: true),
            ]),
        .init(
            "autoscale", .changes, CommandHandler.autoscale,
            "bounds of the number of slots", [.number("max"), .number("min")]),
        .init(
            "cancel_consumer", .changes, CommandHandler.cancelConsumer,
            "consume a queue no longer", [.text("queue")]),
        .init("disable_events", .changes, CommandHandler.disableEvents, "tell monitors nothing"),
        .init(
            "election", .acts, CommandHandler.election,
            "have Celery's workers vote on who does something",
            [.text("id"), .text("topic"), .text("action", isOptional: true)], isVisible: false),
        .init("enable_events", .changes, CommandHandler.enableEvents, "tell monitors what happens"),
        .init("heartbeat", .acts, CommandHandler.heartbeat, "send one heartbeat event now"),
        .init(
            "pause_queue", .changes, CommandHandler.pauseQueue,
            "take nothing from it for now; taskhost's only", [.text("queue")]),
        .init("pool_grow", .changes, CommandHandler.growPool, "more slots", [.number("n", isOptional: true)]),
        .init("pool_restart", .changes, CommandHandler.restartPool, "restart the pool"),
        .init("pool_shrink", .changes, CommandHandler.shrinkPool, "fewer slots", [.number("n", isOptional: true)]),
        .init(
            "promote_bundle", .changes, CommandHandler.promoteBundle,
            "the new version serves everything; taskhost's only",
            [.text("bundle", isOptional: true)]),
        .init(
            "rate_limit", .changes, CommandHandler.rateLimit,
            "starts of a task in a time: 10/m; 0: any", [.text("task_name"), .text("rate_limit")]),
        .init(
            "resume_queue", .changes, CommandHandler.resumeQueue,
            "take from it again; taskhost's only", [.text("queue")]),
        .init("revoke", .changes, CommandHandler.revoke, "do not run these tasks", [.text("task_id", isList: true)]),
        .init(
            "revoke_by_stamped_headers", .changes, CommandHandler.revokeByStamps,
            "do not run tasks with stamps (name=value)", [.text("headers", isList: true)]),
        .init(
            "rollback_bundle", .changes, CommandHandler.rollBackBundle,
            "the version before serves again; taskhost's only", [.text("bundle", isOptional: true)]),
        .init("shutdown", .changes, CommandHandler.shutDown, "end in good order; no reply", isAnswered: false),
        .init(
            "terminate", .changes, CommandHandler.terminate,
            "end these tasks, e.g. SIGTERM ID", [.text("signal"), .text("task_id", isList: true)]),
        .init(
            "time_limit", .changes, CommandHandler.timeLimit,
            "soft and hard limit of a task, in seconds",
            [.text("task_name"), .number("soft"), .number("hard", isOptional: true)]),
    ]
}
