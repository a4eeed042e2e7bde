// What only RabbitMQ's own tools tell: consumer_timeout, policies, its clock. Asked through `--rabbitmqctl COMMAND`.
import Foundation
import TaskhostJSON

struct RabbitMQTools {
    let command: String
    let vhost: String

    /// Seconds; nil: tasks may be held for ever.
    func consumerTimeout() throws(PolicyFailure) -> Double? {
        let answer = try run(["-q", "eval", "application:get_env(rabbit, consumer_timeout, undefined)."])
        if answer == "undefined" { return nil }
        guard let milliseconds = Double(answer) else { throw PolicyFailure(detail: "consumer_timeout is \(answer)") }
        return milliseconds / 1000
    }

    /// Of the machine where the tool runs, which should be RabbitMQ's.
    func clock() throws(PolicyFailure) -> ClockSample {
        let asked = ClockSample.now()
        let answer = try run(["-q", "eval", "os:system_time(millisecond)."])
        guard let milliseconds = Double(answer) else { throw PolicyFailure(detail: "its clock is \(answer)") }
        return ClockSample(theirs: milliseconds / 1000, coarse: 0, asked: asked, answered: ClockSample.now())
    }

    /// By queue.
    func policies() throws(PolicyFailure) -> [String: RabbitMQPolicy] {
        var definitions: [String: JSON] = [:]
        for row in try table(["list_policies"]) {
            guard let name = row["name"]?.text else { continue }
            // Older ones write it as a text.
            var definition = row["definition"]
            if let text = definition?.text { definition = try Self.parsed(text) }
            definitions[name] = definition
        }
        var policies: [String: RabbitMQPolicy] = [:]
        for row in try table(["list_queues", "name", "policy"]) {
            guard let queue = row["name"]?.text, let name = row["policy"]?.text, !name.isEmpty else { continue }
            let definition = definitions[name]
            policies[queue] = RabbitMQPolicy(
                name: name, keys: Set((definition?.members ?? []).map(\.key)),
                consumerTimeout: definition?["consumer-timeout"]?.integer.map { Double($0) / 1000 })
        }
        return policies
    }

    private func table(_ words: [String]) throws(PolicyFailure) -> [JSON] {
        try Self.parsed(try run(["-q", "-p", vhost] + words + ["--formatter", "json"])).elements ?? []
    }

    private static func parsed(_ text: String) throws(PolicyFailure) -> JSON {
        do {
            return try JSON(parsing: Array(text.utf8), limits: .trusted)
        } catch {
            throw PolicyFailure(detail: "its answer is no JSON: \(error)")
        }
    }

    private func run(_ arguments: [String]) throws(PolicyFailure) -> String {
        let process = Process()
        let output = Pipe()
        let errors = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [command] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        do {
            try process.run()
        } catch {
            throw PolicyFailure(detail: "cannot be run: \(error.localizedDescription)")
        }
        let said = output.fileHandleForReading.readDataToEndOfFile()
        let complaint = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let text = String(decoding: complaint + said, as: UTF8.self).trimmed
            throw PolicyFailure(detail: text.isEmpty ? "status \(process.terminationStatus)" : text)
        }
        return String(decoding: said, as: UTF8.self).trimmed
    }
}
