// The addresses of broker, results and shared limits, as the settings name them.
import Output
import Ports
import Settings
import Transports

extension ConfigurationBuilder {
    typealias Addresses = (broker: BrokerAddress, results: ResultsAddress, limits: SharedLimitsAddress)

    func addresses() throws(CommandFailure) -> Addresses {
        let broker = try read("broker") { text throws(TransportFailure) in try BrokerAddress(text) }
        let results = try read("results") { text throws(TransportFailure) in
            try ResultsAddress(text, broker: broker)
        }
        let limits = try read("shared_limits") { text throws(TransportFailure) in
            try SharedLimitsAddress(text, broker: broker, results: results)
        }
        return (broker, results, limits)
    }

    private func read<Address>(
        _ table: String, _ make: (String?) throws(TransportFailure) -> Address
    ) throws(CommandFailure) -> Address {
        let set = try address(table)
        do throws(TransportFailure) {
            return try make(set?.url)
        } catch {
            throw .configuration(error, origin: set?.origin ?? "default")
        }
    }

    /// The address, or the first line of the file that holds it.
    private func address(_ table: String) throws(CommandFailure) -> (url: String, origin: String)? {
        let direct = settings["\(table).url"]
        let file = settings["\(table).url_file"]
        switch (direct?.value, file?.value) {
        case (.text?, .text?):
            throw .configuration(
                "\(direct?.origin ?? table) and \(file?.origin ?? table) both say where the \(table) is",
                fix: "keep one of them")
        case (.text(let url)?, _):
            return (url, direct?.origin ?? table)
        case (_, .text(let path)?):
            let origin = file?.origin ?? table
            let url = try CommandFailure.reading { () throws(SettingsFailure) in
                try SecretFile.read(path, origin: origin)
            }
            return (url, origin)
        default:
            return nil
        }
    }
}
