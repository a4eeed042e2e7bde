// Options and subcommands of Celery's own command, and of programs like ours, that have no counterpart of that name here:
// each answer names the way here.
import Output

enum CeleryWords {
    private static let subcommands = [
        "flower": "run Celery's own beside it: celery -b BROKER flower; or `taskhost top`, which needs nothing else",
        "multi": "start one service for each worker, say taskhost@NAME of systemd; docs/systemd.md has the unit",
        "shell": "send a task with `taskhost call TASK ARGUMENTS --wait`, ask workers with `taskhost inspect`",
        "graph": "`taskhost top` shows the workers, `taskhost call --chain` what follows what",
        "migrate": "copy nothing: a worker on the new broker and one on the old serve both until the old one is empty",
        "report": "taskhost inspect report, or taskhost doctor",
        "amqp": "use rabbitmqctl, or `taskhost purge` and `taskhost dead`",
        "list": "taskhost inspect active_queues",
    ]

    /// Words for what is here called otherwise.
    private static let synonyms: [(words: [String], answer: String)] = [
        (["start", "serve", "up", "celery"], "taskhost worker; for a Celery app: taskhost -A APP worker"),
        (["stop", "shutdown", "down"], "taskhost control shutdown, or end the worker's process with TERM"),
        (["restart"], "taskhost control pool_restart; or end the worker with TERM, and start it again"),
        (["build", "watch", "reload"], "taskhost dev builds and serves what is in this folder, after each change"),
        (["test", "exec", "execute", "run-task"], "taskhost run FILE.so TASK ARGUMENTS; or make test"),
        (["ps", "workers", "dashboard", "monitor"], "taskhost status, or taskhost top"),
        (["version"], "taskhost --version"),
        (
            ["send", "send_task", "delay", "apply", "apply_async", "enqueue", "trigger", "publish"],
            "taskhost call TASK ARGUMENTS --wait"
        ),
        (["init", "create", "scaffold", "generate"], "taskhost new NAME --lang c|cpp|swift|rust|python"),
        (["tasks", "registered"], "taskhost bundles; of workers that run: taskhost inspect registered"),
        (["queues"], "taskhost status; or taskhost inspect active_queues"),
        (
            ["log", "logs"],
            "a worker's log is its standard error, or where --logfile says; of systemd: journalctl -u NAME"
        ),
        (["cancel", "kill", "abort", "terminate"], "taskhost revoke ID…, with --terminate if it runs"),
        (["cron", "schedule", "schedules"], "taskhost beat next shows what is due, taskhost beat sends it"),
        (["get", "wait"], "taskhost result ID --wait"),
    ]

    /// Options of ours that people call otherwise, by subcommand; "": of the worker, whether it is named or not.
    private static let otherNames: [(command: String, names: [String], answer: String)] = [
        ("call", ["--delay", "--in"], "--countdown SECONDS, or --eta TIME"),
        ("call", ["--timeout", "-t"], "--wait=SECONDS waits no longer; --time-limit SECONDS kills it"),
        ("call", ["--queues"], "--queue NAME: a message goes to one queue"),
        ("new", ["--language", "--template", "-l", "-t"], "--lang c|cpp|swift|rust|python"),
        ("run", ["-n", "--count", "--times"], "--repeat NUMBER"),
        (
            "run", ["-A", "--app"],
            "run takes bundles (*.so). An app's tasks: taskhost -A APP worker, then taskhost call TASK ARGUMENTS "
                + "--wait; or without a worker, in Python: TASK.apply(args=[…]).get()"
        ),
        ("run", ["--timeout"], "--time-limit SECONDS"),
        ("", ["-v", "-V"], "taskhost --version; to see more of a worker: --loglevel debug"),
        ("", ["-q", "--queue"], "-Q, --queues NAMES"),
        ("", ["-w", "--workers", "--threads", "-t"], "-c, --concurrency NUMBER: tasks run at a time"),
        ("beat", ["-S"], "leave it out: schedules are those of the app, the bundles and the settings"),
    ]

    private static let options: [(names: [String], answer: String)] = [
        (
            ["-P", "--pool"],
            "leave it out: each task runs in a process of its own, as with prefork, which is taken; --concurrency "
                + "says how many"
        ),
        (
            ["-D", "--detach"],
            "leave it out: a worker stays in the foreground. systemd (docs/systemd.md has the unit) or "
                + "`nohup taskhost … &` put it into the background"
        ),
        (
            ["--uid", "--gid"], "start it as that user: User= in the systemd unit, or `setpriv --reuid USER taskhost …`"
        ),
        (["--umask"], "set it before: UMask= in the systemd unit, or `umask` in the shell"),
        (["--purge", "--discard"], "empty the queues before the start: taskhost purge QUEUE…"),
        (["-X", "--exclude-queues"], "name the queues that are to be served: --queues urgent,normal"),
        (["-I", "--include"], "name the modules in the app: app.conf.include, or app.autodiscover_tasks()"),
        (["--disable-prefetch"], "--prefetch-multiplier 1 takes no more than what waits for a slot"),
        (
            ["--scheduler"],
            "leave it out for the schedules of the app; with another scheduler `celery beat` runs beside the workers"
        ),
    ]

    /// Options of `celery worker` and `celery beat` that change nothing here, and whether they take a value.
    private static let withoutEffect: [String: Bool] = [
        "--without-gossip": false, "--without-mingle": false, "--no-color": false, "-O": true, "--optimization": true,
        "-s": true, "--schedule": true, "--schedule-filename": true, "--max-interval": true,
    ]

    /// What of their values asks for what is so here anyway.
    private static let alikeHere: [String: [String]] = ["-P": pools, "--pool": pools]
    private static let pools = ["prefork", "processes"]

    /// The words without those that have no effect for a worker or beat, and those.
    static func split(_ words: [String]) -> (kept: [String], dropped: [String]) {
        let command = words.first { !$0.hasPrefix("-") }
        guard words.first?.hasPrefix("-") == true || ["worker", "beat"].contains(command) else { return (words, []) }
        var (kept, dropped): ([String], [String]) = ([], [])
        var rest = words[...]
        while let word = rest.popFirst() {
            let name = String(word.hasPrefix("--") ? word.prefix { $0 != "=" } : word.prefix(2))
            if let alike = alikeHere[name] {
                let isGlued = word != name
                let value = isGlued ? String(word.dropFirst(name.count).drop { $0 == "=" }) : rest.first
                guard let value, alike.contains(value) else {
                    kept.append(word)
                    continue
                }
                dropped += isGlued ? [word] : [word, rest.removeFirst()]
                continue
            }
            guard word.hasPrefix("-"), let takesValue = withoutEffect[name] else {
                kept.append(word)
                continue
            }
            dropped.append(word)
            // Not glued to it, as in -Ofair.
            if takesValue, word == name, let value = rest.popFirst() { dropped.append(value) }
        }
        return (kept, dropped)
    }

    /// nil: none of them is there.
    static func answer(_ words: [String]) -> CommandFailure? {
        // Arguments of a task are no options.
        let command = words.first { !$0.hasPrefix("-") }
        if let answer = otherName(words, command: command) { return answer }
        guard command != "call" || words.first?.hasPrefix("-") == true else { return nil }
        for word in words.prefix(while: { $0 != "--" }) where word.hasPrefix("-") {
            let name = String(word.hasPrefix("--") ? word.prefix { $0 != "=" } : word.prefix(2))
            guard let option = options.first(where: { $0.names.contains(name) }) else { continue }
            return CommandFailure(.usage, "\(name) is an option of Celery's", fix: option.answer)
        }
        return nil
    }

    private static func otherName(_ words: [String], command: String?) -> CommandFailure? {
        let isWorker = command == nil || command == "worker" || words.first?.hasPrefix("-") == true
        let known = otherNames.filter { $0.command == (isWorker ? "" : command) }
        for word in words.prefix(while: { $0 != "--" }) where word.hasPrefix("-") {
            let name = String(word.prefix { $0 != "=" })
            guard let other = known.first(where: { $0.names.contains(name) }) else { continue }
            let place = isWorker ? "taskhost worker" : "taskhost \(other.command)"
            return CommandFailure(.usage, "\(place) has no option \(name)", fix: other.answer)
        }
        return nil
    }

    /// - Parameter word: what stands where a subcommand should.
    static func answer(subcommand word: String) -> CommandFailure? {
        if let answer = subcommands[word] {
            return CommandFailure(.usage, "'\(word)' is a subcommand of Celery's", fix: answer)
        }
        return synonyms.first { $0.words.contains(word) }.map {
            CommandFailure(.usage, "'\(word)' is no subcommand", fix: $0.answer)
        }
    }
}
