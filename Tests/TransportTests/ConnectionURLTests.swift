// Addresses as they are written, whatever system they name.
import TaskModel
import Testing

@Suite("Connection addresses")
struct ConnectionURLTests {
    private typealias Host = ConnectionURL.Host

    @Test("all parts of an address are read and percent-decoded")
    func whole() throws {
        let url = try ConnectionURL(parsing: "MongoDB://a%40b:p%2Fw%3A@h%31:1234,[::1]:99/my%2Fbase?x=%20&flag&x=2")
        #expect(url.scheme == "mongodb")
        #expect(url.user == "a@b" && url.password == "p/w:")
        #expect(url.hosts == [Host(name: "h1", port: 1234), Host(name: "::1", port: 99)])
        #expect(url.path == "/my/base")
        #expect(url.parameters.map(\.name) == ["x", "flag", "x"])
        #expect(url[parameter: "x"] == "2" && url[parameter: "flag"] == "" && url[parameter: "y"] == nil)
    }

    @Test("what is left out is told from what is empty")
    func partial() throws {
        let bare = try ConnectionURL(parsing: "amqp://")
        #expect(bare.hosts == [Host(name: "")] && bare.user == nil && bare.password == nil && bare.path == "")
        let password = try ConnectionURL(parsing: "redis://:p@h:/")
        #expect(password.user == "" && password.password == "p" && password.hosts == [Host(name: "h")])
        let user = try ConnectionURL(parsing: "redis://u@h")
        #expect(user.user == "u" && user.password == nil)
    }

    @Test("without // everything up to the parameters is a path", arguments: ["x.db", "/var/x.db", "a@b:1", ""])
    func noHosts(path: String) throws {
        let url = try ConnectionURL(parsing: "sqlite:\(path)?a=b")
        #expect(url.hosts.isEmpty && url.path == path && url.user == nil && url[parameter: "a"] == "b")
    }

    @Test(
        "a bare @ or / in a password is a common slip, and read as it was meant",
        arguments: [
            ("redis://u:p@ss@h/0", "p@ss", "/0"), ("redis://:pa/ss@h/0", "pa/ss", "/0"),
            ("amqp://u:a/b/c@h", "a/b/c", ""), ("amqp://u:p@h/a@b", "p", "/a@b"),
            ("unix://:pa/ss@/run/r.sock", "pa/ss", "/run/r.sock"),
        ])
    func slips(text: String, password: String, path: String) throws {
        let url = try ConnectionURL(parsing: text)
        #expect(url.password == password)
        #expect(url.path == path)
    }

    @Test("an @ in a path begins no credentials", arguments: ["amqp://h/a@b", "amqp://h:5672/a@b", "unix:///a@b.sock"])
    func pathWithAt(text: String) throws {
        let url = try ConnectionURL(parsing: text)
        #expect(url.user == nil && url.path.hasSuffix("@b") || url.path.hasSuffix("@b.sock"))
    }

    @Test(
        "what is wrong is told by its part",
        arguments: [
            ("", ConnectionURLError.noScheme), ("localhost", .noScheme), ("//h", .noScheme), ("a b://h", .noScheme),
            ("a://h:99999", .badPort("99999")), ("a://h:0", .badPort("0")), ("a://h:x", .badPort("x")),
            ("a://%zz@h", .badEncoding(.user)), ("a://u:%f@h", .badEncoding(.password)),
            ("a://u:%00@h", .badEncoding(.password)), ("a://%ff", .badEncoding(.host)),
            ("a://h/%", .badEncoding(.path)),
            ("a://h?x=%", .badEncoding(.parameter("x"))), ("a://[::1", .unclosedBracket), ("a://::1:5/", .bareIPv6),
        ])
    func wrong(text: String, error: ConnectionURLError) {
        #expect(throws: error) { try ConnectionURL(parsing: text) }
    }

    @Test("several addresses are separated by semicolons; blanks and empty ones are left out")
    func several() {
        #expect(ConnectionURL.split("amqp://a; amqp://b:1/x ;") == ["amqp://a", "amqp://b:1/x"])
        #expect(ConnectionURL.split(" ; ").isEmpty)
    }

    @Test("an address prints itself without its secrets")
    func printed() throws {
        let url = try ConnectionURL(parsing: "amqp://u:geheim@h:1//?x=1&password=geheim")
        #expect("\(url)" == "amqp://u:***@h:1//?x=1&password=***")
        #expect(url.redacted(mask: "-") == "amqp://u:-@h:1//?x=1&password=-")
        #expect("\(try ConnectionURL(parsing: "sqlite:///x?synchronous=full"))" == "sqlite:///x?synchronous=full")
    }

    @Test("what is encoded is decoded to the same", arguments: ["plain", "a/b@c:d", "ä %?&=", "-._~"])
    func coding(text: String) {
        #expect(ConnectionURL.decoded(ConnectionURL.encoded(text)[...]) == text)
    }
}
