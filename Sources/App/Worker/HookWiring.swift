// Hooks of a worker: their tasks go through the broker, their processes are known to the runner.
import Canvas
import CeleryWire
import Configuration
import Hooks
import Logging
import Loop
import Output
import Ports
import Runner
import TaskModel

enum HookWiring {
    /// nil: there are no hooks.
    static func dispatcher(
        _ configuration: Configuration, environment: [String: String], loop: EpollLoop, broker: any Broker,
        watch: WorkerWatch?, log: Logger
    ) throws(CommandFailure) -> HookDispatcher? {
        guard !configuration.hooks.isEmpty else { return nil }
        var hooks: [Hook] = []
        for hook in configuration.hooks { hooks.append(try hook.hook(environment: environment)) }
        let routes = Routes(configuration.routes, defaultQueue: "celery")
        let around = HookSurroundings(
            node: configuration.nodeName, agent: "taskhost/\(ProgramVersion.text)",
            children: ChildKeeping(starting: OwnChildren.starting, gone: OwnChildren.remove),
            send: { task, queue, hook, event, done in
                var call = TaskCall(task, args: [event])
                call.headers[HookDispatcher.header] = .string(hook)
                call.ignoreResult = true
                let message = call.message(replyTo: nil, origin: configuration.nodeName, now: loop.clocks.wall)
                let destination = configuration.destination(ofTask: task, queue: queue, routes)
                broker.publish(Publication(destination: destination, message: message)) { done($0?.description) }
            },
            log: { log.log(level: .init($0), "\($1)") }, count: counter(watch))
        return HookDispatcher(hooks, loop: loop, around: around)
    }

    private static func counter(_ watch: WorkerWatch?) -> @Sendable (String, HookResult) -> Void {
        guard let watch else { return { _, _ in } }
        return watch.hookCounter
    }
}

extension Configuration {
    /// Where to send a task: to this queue, or by the routes.
    func destination(ofTask name: String, queue: String?, _ routes: Routes) -> Publication.Destination {
        switch queue.map(CanvasCall.Target.queue) ?? routes.target(ofTask: name) {
        case .queue(let name): .queue(declaration(of: name))
        case .exchange(let name, let key): .exchange(name, routingKey: key)
        case .routed: .queue(declaration(of: routes.defaultQueue))
        }
    }
}
