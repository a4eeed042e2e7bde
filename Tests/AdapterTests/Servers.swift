// A system of the adapters' tests, as it is opened for one of them.
import Loop
import Ports
import TestKit

extension Servers {
    /// A new link to the server that was started for this system; for one that serves one machine only: to a file.
    static func open<System: Transport>(
        _ system: System.Type, named name: String, in folder: TemporaryFolder, on loop: EpollLoop
    ) throws -> System {
        let scheme = system.schemes[0]
        let url =
            system.servesOneMachine
            ? "\(scheme)://\(folder.path)/\(name).db" : try Variables.value("TASKHOST_TEST_\(scheme.uppercased())_URL")
        return try System([url], on: loop, options: TransportOptions()) { _, _ in }
    }
}
