// Whom to ask, and how long to wait: what `inspect`, `control` and `status` share.
import ArgumentParser
import Fleet
import Settings

struct RemoteOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Only these workers: names, separated by commas. Default: all.", valueName: "nodes"))
    var destination: String?

    @Option(name: [.short, .long], help: ArgumentHelp("How long to wait for replies.", valueName: "seconds"))
    var timeout = 1.0

    @Flag(name: [.short, .long], help: "Print one JSON object: replies by node.")
    var json = false

    @OptionGroup var place: LocalOptions

    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func validate() throws {
        guard timeout > 0, timeout <= 3600 else { throw ValidationError("--timeout is more than 0 seconds") }
        try Self.validate(destination)
    }

    /// An empty name must not mean all: it may be a variable that a script has not set.
    static func validate(_ destination: String?) throws {
        guard destination == nil || names(destination) != nil else {
            throw ValidationError("--destination names no worker; leave it out to mean all")
        }
    }

    var nodes: [String]? { Self.names(destination) }

    static func names(_ list: String?) -> [String]? {
        let names = (list ?? "").split(separator: ",").map { String($0).trimmed }.filter { !$0.isEmpty }
        return names.isEmpty ? nil : names
    }

    func inquiry() throws -> FleetInquiry {
        FleetInquiry(try connection.configuration(), hosts: try place.hosts(), nodes: nodes, seconds: timeout)
    }
}
