// What remote control tells of the configuration.
import Settings
import TaskhostJSON
import Testing

@testable import Configuration
@testable import Worker

@Suite("Settings told by remote control")
struct RemoteSettingsTests {
    private func members(
        _ file: String, coloursLog: Bool = false, heartbeat: JSON? = nil, withDefaults: Bool = false
    ) throws -> [String: JSON] {
        let settings = try TOMLReader(file: "t.toml", text: file).read()
        let made = try ConfigurationBuilder(settings: settings, hostName: "vm.example.org", processors: 2).build()
        let told = RemoteSettings(made, .init(folders: ["/plugins"], coloursLog: coloursLog), heartbeat: heartbeat)
        let members = told.members(withDefaults: withDefaults).map { ($0.key, $0.value) }
        return Dictionary(uniqueKeysWithValues: members)
    }

    @Test("what Celery's tools look for is there, with what holds")
    func names() throws {
        let told = try members(
            """
            [broker]
            url = "redis://h/0"
            [worker]
            concurrency = 3
            acks_late = false
            [wire]
            accept_content = ["json", "yaml"]
            """, coloursLog: true, heartbeat: 7)
        #expect(told["worker_hijack_root_logger"] == false)
        #expect(told["worker_log_color"] == true)
        #expect(told["accept_content"] == ["json", "yaml"])
        #expect(told["enable_utc"] == true)
        #expect(told["timezone"] == "UTC")
        #expect(told["broker_url"] == "redis://h/0")
        #expect(told["result_backend"] == "redis://h/0")
        #expect(told["broker_heartbeat"] == 7)
        #expect(told["deprecated_settings"] == [])
        #expect(told["include"] == ["/plugins"])
        #expect(told["worker_concurrency"] == 3)
        #expect(told["task_acks_late"] == false)
        #expect(told["result_compression"] == nil)
    }

    @Test("a broker without heartbeats has the heartbeat 0")
    func noHeartbeat() throws { #expect(try members("")["broker_heartbeat"] == 0) }

    @Test("passwords are hidden as Celery hides them, in every address")
    func secrets() throws {
        let told = try members(
            """
            [broker]
            url = "amqp://u:geheim@a:5672//;amqps://u:geheim@b:5671/v"
            [results]
            url = "redis://:geheim@h/0"
            [security]
            key = "/etc/geheim.pem"
            certificate = "/etc/us.pem"
            cert_store = "/etc/certs"
            """)
        #expect(told["broker_url"] == "amqp://u:********@a:5672//;amqps://u:********@b:5671/v")
        #expect(told["result_backend"] == "redis://:********@h/0")
        #expect(told["security_key"] == "********")
        #expect(told["security_certificate"] == "/etc/us.pem")
        #expect(!told.values.contains { "\($0)".contains("geheim") })
    }

    @Test("what is left open is told as null when defaults are asked for")
    func defaults() throws {
        #expect(try members("")["task_time_limit"] == nil)
        #expect(try members("", withDefaults: true)["task_time_limit"] == .null)
        #expect(try members("[wire]\ntask_compression = \"lzma\"")["task_compression"] == "lzma")
    }
}
