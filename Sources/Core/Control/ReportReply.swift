// The reply to `report`: what a report of a fault should hold, laid out as Celery's (celery-protocol.md §5.4).
import CeleryWire
import Glibc
import TaskhostJSON

/// Celery is named for the protocol spoken, and because clients look for its name there.
enum ReportReply {
    static func text(_ facts: ControlFacts) -> String {
        let system = System()
        let transport = facts.broker.first { $0.key == "transport" }?.value.text ?? ""
        let settings = facts.settings(false).map { "\($0.key): \(PythonRepr.repr($0.value))" }
        return """

            software -> celery:5.7 taskhost:\(facts.version)
            platform -> system:\(system.name) arch:\(system.machine)
                        kernel version:\(system.release) imp:Swift
            loader   -> taskhost
            settings -> transport:\(transport) results:\(facts.resultStore)

            \(settings.joined(separator: "\n"))

            """
    }

    private struct System {
        let name: String
        let release: String
        let machine: String

        init() {
            var names = utsname()
            uname(&names)
            name = Self.text(&names.sysname)
            release = Self.text(&names.release)
            machine = Self.text(&names.machine)
        }

        private static func text<Field>(_ field: inout Field) -> String {
            withUnsafeBytes(of: &field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
    }
}
