// Serializers, compression and keys in the configuration.
import CeleryWire
import Settings
import Testing

@testable import Configuration
@testable import Output

@Suite("Settings of the wire")
struct WireSettingsTests {
    private func build(_ file: String) throws -> Configuration {
        let settings = try TOMLReader(file: "t.toml", text: file).read()
        return try ConfigurationBuilder(settings: settings, hostName: "vm", processors: 1).build()
    }

    @Test("by default only JSON is taken, and continuations go out as their message came")
    func defaults() throws {
        let made = try build("")
        #expect(made[Settings.wire.acceptContent] == ["json"])
        #expect(made[Settings.wire.taskSerializer] == nil && made[Settings.wire.taskCompression] == nil)
        #expect(made.engineOptions().acceptContent == ["json"])
    }

    @Test("serializers and compression by Celery's names reach the engine")
    func names() throws {
        let made = try build(
            """
            [wire]
            accept_content = ["msgpack", "application/x-yaml"]
            task_serializer = "msgpack"
            task_compression = "lzma"
            """)
        let options = made.engineOptions()
        #expect(options.acceptContent == ["msgpack", "application/x-yaml"])
        #expect(options.taskSerializer == .msgpack)
        #expect(options.taskCompression == .xz)
    }

    @Test(
        "what is never read, or unknown, or signed by nobody knows whom, is an error with its fix",
        arguments: [
            ("pickle", "json, msgpack or yaml"), ("xml", "write json"), ("auth", "cert_store"),
        ])
    func refused(name: String, fix: String) throws {
        let failure = try #require(throws: CommandFailure.self) { try build("[wire]\naccept_content = [\"\(name)\"]") }
        #expect(failure.fix?.contains(fix) == true)
    }

    @Test("signed commands by nobody knows whom are an error with its fix")
    func signedCommands() throws {
        let failure = try #require(throws: CommandFailure.self) { try build("[control]\nrequire_signed = true") }
        #expect(failure.fix?.contains("cert_store") == true)
    }

    @Test("keys without a certificate store, and a store without files, are errors")
    func keys() throws {
        #expect(throws: CommandFailure.self) { try build("[security]\nkey = \"k.pem\"").formats() }
        let failure = try #require(throws: CommandFailure.self) {
            try build("[security]\ncert_store = \"/nonexistent\"").formats()
        }
        #expect(failure.message.contains("/nonexistent"))
    }
}
