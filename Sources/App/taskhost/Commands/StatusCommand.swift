import ArgumentParser
import CLinux
import Client
import Fleet
import Output
import TaskhostJSON

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the workers that run, and what they do.",
        discussion: """
            A line per worker: slots in use, messages that wait in its hands, tasks it has started, queues; \
            below it the tasks that run, with their age, and how many are due later. Exit status: 69 when no worker replies.
            """)

    @OptionGroup var remote: RemoteOptions

    func run() throws {
        let inquiry = try remote.inquiry()
        let replies = try inquiry.ask(FleetStatus.methods.map { ControlQuestion($0) })
        let fleet = FleetStatus(Dictionary(zip(FleetStatus.methods, replies)) { $1 })
        if fleet.nodes.isEmpty { throw inquiry.noReply }
        let now = Double(clinux_realtime_us()) / 1e6
        if remote.json {
            Console.out(fleet.json(at: now))
        } else {
            for line in FleetText.lines(fleet, at: now) { Console.out(line) }
        }
    }
}
