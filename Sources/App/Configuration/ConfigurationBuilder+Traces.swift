// [traces]: where spans of runs go.
import Linux
import Output
import Settings
import TaskModel

extension ConfigurationBuilder {
    func traces() throws(CommandFailure) -> TraceSettings {
        var made = TraceSettings()
        if let endpoint = settings[Settings.traces.endpoint] {
            let scheme = endpoint.prefix { $0 != ":" }.lowercased()
            guard ["http", "https"].contains(scheme), endpoint.dropFirst(scheme.count).hasPrefix("://") else {
                throw .configuration(
                    "\(settings.origin(Settings.traces.endpoint)): \"\(ConnectionURL.redacted(endpoint))\" is no address of a collector",
                    fix: "write it whole, e.g. http://localhost:4318/v1/traces")
            }
            made.endpoint = endpoint
        }
        made.headers = openTelemetry.headers(for: settings.sourced(Settings.traces.endpoint))
        if let path = settings[Settings.traces.headersFile] { made.headers = try headers(path) }
        made.notes = openTelemetry.notes(endpoint: settings.sourced(Settings.traces.endpoint))
        return made
    }

    private func headers(_ path: String) throws(CommandFailure) -> [String] {
        let origin = settings.origin(Settings.traces.headersFile)
        let text: String
        do throws(SystemFailure) {
            text = try Files.readText(path)
        } catch {
            throw .configuration(
                "\(origin) names \(path), which cannot be read: \(error)",
                fix: "make the file readable for this user, or name another")
        }
        let lines = text.split(separator: "\n").map { String($0).trimmed }.filter { !$0.isEmpty }
        guard lines.allSatisfy({ ($0.firstIndex(of: ":") ?? $0.startIndex) > $0.startIndex }) else {
            throw .configuration(
                "\(origin) names \(path), in which a line is no header", fix: "write `Name: value`, one a line")
        }
        return lines
    }
}
