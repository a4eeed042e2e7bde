// Passwords: where they are in addresses and arguments, and that they are not shown.
import CLinux
import Settings
import TaskModel
import Testing

@testable import Doctor
@testable import taskhost

@Suite("Secrets")
struct SecretTests {
    @Test(
        "every password of an address is hidden, and nothing else",
        arguments: [
            ("amqp://u:geheim@h//;amqp://u:geheim@h2//", "amqp://u:***@h//;amqp://u:***@h2//"),
            ("http://u:geheim@h:4318/v1/traces", "http://u:***@h:4318/v1/traces"),
            ("redis://h/0?password=geheim&x=1", "redis://h/0?password=***&x=1"),
            ("https://h/v1?x=1&token=geheim", "https://h/v1?x=1&token=***"),
            ("--broker=amqp://u:ge@heim@h", "--broker=amqp://u:***@h"),
            ("sqlite:///a:b@c", "sqlite:///a:***@c"), ("amqp://u@h", "amqp://u@h"), ("a:b@c", "a:b@c"),
        ])
    func hidden(address: String, shown: String) {
        #expect(ConnectionURL.redacted(address) == shown)
    }

    @Test("the list of effective settings shows no password, whatever the setting is called")
    func effective() throws {
        let address = "http://user:geheim@host:4318/v1/traces"
        for setting in Settings.all where setting.kind == .text || setting.kind == .texts {
            var layer = SettingsLayer()
            let path = setting.path.map { $0 == "*" ? "name" : $0 }
            layer.set(path, setting.kind == .text ? .text(address) : .texts([address, address]), origin: "test")
            let listed = EffectiveSettings.list(layer, [:]).map(\.value).joined()
            #expect(!listed.contains("geheim"), "\(setting.name)")
        }
    }

    @Test("a password among the arguments is warned of, with the way out")
    func arguments() {
        let set = SourcedValue(value: .text("amqp://u:geheim@h"), origin: "--broker")
        let finding = PlaceCheck.argument(set, name: ["broker", "url"])
        #expect(finding?.level == .warn)
        #expect(finding?.fix?.contains("broker.url_file") == true)
        #expect(finding.map { "\($0)".contains("geheim") } == false)
        let plain = SourcedValue(value: .text("amqp://h"), origin: "--broker")
        #expect(PlaceCheck.argument(plain, name: ["broker"]) == nil)
        let fromFile = SourcedValue(value: .text("amqp://u:geheim@h"), origin: "taskhost.toml:3:1")
        #expect(PlaceCheck.argument(fromFile, name: ["broker", "url"]) == nil)
    }

    @Test("the arguments are those the kernel has, and /proc tells the same")
    func given() throws {
        let words = (0..<clinux_argument_count()).compactMap { clinux_argument($0).map { String(cString: $0) } }
        #expect(words == CommandLine.arguments)
        #expect(GivenArguments.parse(Array("taskhost\0-b\0\0x y\0".utf8)) == ["-b", "", "x y"])
        #expect(GivenArguments.parse(Array("taskhost\0".utf8)) == [])
        #expect(GivenArguments.parse([]) == nil)
    }
}
