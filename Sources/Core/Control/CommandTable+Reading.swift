// Commands that read only.

extension CommandTable {
    static let reading: [RemoteCommand] = [
        .init("active", aliases: ["dump_active"], .reads, CommandHandler.active, "tasks that run"),
        .init("active_queues", .reads, CommandHandler.activeQueues, "queues that are consumed"),
        .init(
            "bundles", .reads, CommandHandler.bundles,
            "versions of bundles; taskhost's only"),
        .init("clock", .reads, CommandHandler.clock, "the logical clock of events"),
        .init(
            "conf", aliases: ["dump_conf"], .reads, CommandHandler.conf,
            "settings; true: the unset ones, too", [.flag("with_defaults")]),
        .init(
            "hello", .reads, CommandHandler.hello,
            "revoked ids, asked for by a worker that starts and tells its own",
            [.text("from_node"), .text("revoked", isOptional: true, isList: true)], isVisible: false),
        .init(
            "later", .reads, CommandHandler.later,
            "tasks due later, counted by queue; taskhost's only"),
        .init("memdump", .reads, CommandHandler.memdump, "the memory samples taken so far"),
        .init("memsample", .reads, CommandHandler.memsample, "memory now, remembered for memdump"),
        .init("objgraph", .reads, CommandHandler.objgraph, "a graph of Python's objects; Celery's only"),
        .init("overview", .reads, CommandHandler.overview, "what only taskhost's workers tell (for top)"),
        .init("ping", .reads, CommandHandler.ping, "who is there"),
        .init("query_task", .reads, CommandHandler.queryTask, "where these tasks are", [.text("ids", isList: true)]),
        .init(
            "registered", aliases: ["dump_tasks"], .reads, CommandHandler.registered,
            "offered tasks, with attributes: rate_limit …", [.text("taskinfoitems", isOptional: true, isList: true)]),
        .init("report", .reads, CommandHandler.report, "software and settings, as text"),
        .init("reserved", aliases: ["dump_reserved"], .reads, CommandHandler.reserved, "tasks that wait for a slot"),
        .init("revoked", aliases: ["dump_revoked"], .reads, CommandHandler.revoked, "ids of revoked tasks"),
        .init(
            "scheduled", aliases: ["dump_schedule"], .reads, CommandHandler.scheduled,
            "tasks that wait for their time"),
        .init("stats", .reads, CommandHandler.statistics, "figures"),
    ]
}
