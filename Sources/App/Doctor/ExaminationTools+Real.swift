// What doctor lends outside systems that are examined: HTTP, commands, files, the clock.
import CHTTP
import CLinux
import Linux
import Ports
import Settings

extension ExaminationTools {
    private static let patienceMilliseconds = 10_000
    private static let room = 1 << 20

    /// - Parameter command: the broker's own tool.
    static func real(command: String?) -> ExaminationTools {
        ExaminationTools(
            fetch: fetch,
            command: command.map { command in { run(command, $0) } },
            databaseFile: { PlaceCheck.database($0, subject: $1) }, now: { Double(clinux_realtime_us()) / 1e6 })
    }

    private static func fetch(_ url: String) -> HTTPAnswer {
        var body = [CChar](repeating: 0, count: room)
        var error = [CChar](repeating: 0, count: Int(HTTP_ERROR_SIZE))
        var length = 0
        var date: Int64 = -1
        let status = http_get(url, patienceMilliseconds, &body, body.count, &length, &date, &error)
        return HTTPAnswer(
            status: status, body: body[..<length].map { UInt8(bitPattern: $0) }, date: date,
            error: String(decoding: error.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    /// What it says on its output, without the blanks around it.
    private static func run(_ command: String, _ arguments: [String]) -> Result<String, TransportFailure> {
        let outcome: Command.Outcome
        do throws(SystemFailure) {
            outcome = try Command.run([command] + arguments)
        } catch {
            return .failure(TransportFailure("cannot be run: \(error)"))
        }
        guard outcome.status == 0 else {
            let text = (outcome.errors + outcome.output).trimmed
            return .failure(TransportFailure(text.isEmpty ? "status \(outcome.status)" : text))
        }
        return .success(outcome.output.trimmed)
    }
}
