// [traces]: where spans of runs go.
import Foundation

extension ConfigurationBuilder {
    func traces() throws(CommandFailure) -> TraceSettings {
        var made = TraceSettings()
        if let endpoint = settings.text("traces.endpoint") {
            let scheme = endpoint.prefix { $0 != ":" }.lowercased()
            guard ["http", "https"].contains(scheme), endpoint.dropFirst(scheme.count).hasPrefix("://") else {
                throw .configuration(
                    "\(settings["traces.endpoint"]?.origin ?? ""): \"\(endpoint)\" is no address of a collector",
                    fix: "write it whole, e.g. http://localhost:4318/v1/traces")
            }
            made.endpoint = endpoint
        }
        made.sampleRatio = settings.number("traces.sample_ratio") ?? made.sampleRatio
        made.serviceName = settings.text("traces.service_name") ?? made.serviceName
        if let path = settings.text("traces.headers_file") { made.headers = try headers(path) }
        return made
    }

    private func headers(_ path: String) throws(CommandFailure) -> [String] {
        let origin = settings["traces.headers_file"]?.origin ?? ""
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw .configuration(
                "\(origin) names \(path), which cannot be read: \(error.localizedDescription)",
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
