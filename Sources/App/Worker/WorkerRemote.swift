// A worker's remote control and events: over its broker, and over a socket on this machine.
import CeleryWire
import Configuration
import Control
import LocalSocket
import Loop
import Output
import Ports
import TaskModel

struct WorkerRemote {
    /// Over the broker.
    let control: ControlService
    private let localServer: LocalServer?
    private let localControl: ControlService?
    /// nil: there is no channel to send them over.
    let events: EventService?
    private let eventChannel: (any EventChannel)?

    /// - Parameter broker: its address without secrets, which tells processes on this machine whom this host serves.
    /// - Throws: the socket that the settings name cannot be opened.
    init(
        over transport: any BrokerTransport, broker: String, of engine: any EngineControl,
        _ configuration: Configuration,
        formats: any BodyFormats, surroundings: RemoteSettings.Surroundings, loop: EpollLoop,
        log: @escaping (LogLevel, String) -> Void
    ) throws(CommandFailure) {
        let eventChannel = transport.events()
        let localServer = try RemoteControl.localServer(
            configuration, broker: broker, loop: loop, log: log)
        let channels: [(any EventChannel)?] = [eventChannel, localServer]
        let events = RemoteControl.events(over: channels.compactMap { $0 }, of: engine, configuration, loop: loop)
        let service = { (channel: any ControlChannel, policy: ControlPolicy, isLocal: Bool) in
            RemoteControl.service(
                over: channel, of: engine, configuration, broker: transport, policy: policy, isLocal: isLocal,
                bodyFormats: formats, events: events, surroundings: surroundings, loop: loop, log: log)
        }
        control = service(transport.control(), configuration.controlPolicy, false)
        // Whoever may open the socket may as well end the process.
        localControl = localServer.map { service($0, ControlPolicy(), true) }
        (self.localServer, self.events, self.eventChannel) = (localServer, events, eventChannel)
    }

    func open() {
        control.open()
        localControl?.open()
    }

    /// No command is taken any more; events go out before, by `events.close()`.
    func close() {
        control.close()
        localControl?.close()
        eventChannel?.close()
    }

    /// The socket's file goes away.
    func closeServer() { localServer?.close() }
}
