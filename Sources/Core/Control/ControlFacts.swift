// What the wiring knows of this worker and remote control tells on: nothing here is secret.
public import Glibc
public import TaskhostJSON

public struct ControlFacts {
    /// Shown by `report` and in `stats`, e.g. "1.0.0".
    public var version: String
    /// The broker as `stats` tells it: hostname, userid, virtual_host, port, transport, ssl … Never a password.
    public var broker: [JSONMember]
    /// All settings with their values, secrets masked. With `defaults` also those that are not set.
    public var settings: (_ defaults: Bool) -> [JSONMember]
    /// Host name and kind of the result store, for `report`.
    public var resultStore: String
    /// What revoked tasks are sent unless the command names a signal.
    public var usualSignal: Int32

    public init(
        version: String, broker: [JSONMember], resultStore: String, usualSignal: Int32 = SIGTERM,
        settings: @escaping (_ defaults: Bool) -> [JSONMember]
    ) {
        self.version = version
        self.broker = broker
        self.resultStore = resultStore
        self.usualSignal = usualSignal
        self.settings = settings
    }
}
