import ArgumentParser
import Fleet
import LocalSocket
import Output

/// Hosts on this machine are asked over their own sockets, without a broker.
struct LocalOptions: ParsableArguments {
    @Flag(help: "Ask this user's workers on this machine over their sockets, without a broker.")
    var local = false

    @Option(help: ArgumentHelp("Ask the worker that answers at this socket; may be repeated.", valueName: "path"))
    var socket: [String] = []

    /// nil: over the broker.
    func hosts() throws(CommandFailure) -> LocalHostsAddress? {
        guard !socket.isEmpty else { return local ? .all : nil }
        for path in socket {
            do {
                try LocalHosts.check(path)
            } catch {
                throw CommandFailure(.unavailable, error.detail, fix: error.fix)
            }
        }
        return .sockets(socket)
    }
}
