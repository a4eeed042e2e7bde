import RabbitMQ
import Testing

@Suite("Broker addresses")
struct AddressTests {
    @Test("what is left out has the defaults of every RabbitMQ client")
    func defaults() throws {
        for text in [
            "amqp://", "pyamqp://localhost", "librabbitmq://guest@localhost//", "amqp://guest:guest@localhost:5672/%2F",
        ] {
            let address = try RabbitMQAddress(parsing: text)
            #expect(address == RabbitMQAddress(), "\(text)")
        }
    }

    @Test("credentials, host and virtual host are percent-decoded")
    func decoding() throws {
        let address = try RabbitMQAddress(parsing: "amqp://a%40b:p%2Fw%3A@rabbit.example:1234/my%2Fhost?heartbeat=30")
        #expect(address.user == "a@b")
        #expect(address.password == "p/w:")
        #expect(address.host == "rabbit.example")
        #expect(address.port == 1234)
        #expect(address.vhost == "my/host")
        #expect(address.heartbeatSeconds == 30)
    }

    @Test("a description never shows the password")
    func description() throws {
        let address = try RabbitMQAddress(parsing: "amqps://bob:secret@[::1]/x")
        #expect(address.description == "amqps://bob@[::1]:5671/x")
    }

    @Test("Celery's double slash and IPv6 hosts work")
    func celeryForms() throws {
        #expect(try RabbitMQAddress(parsing: "amqp://h//").vhost == "/")
        #expect(try RabbitMQAddress(parsing: "amqp://h//name").vhost == "/name")
        let address = try RabbitMQAddress(parsing: "amqp://[fe80::2]:99/")
        #expect(address.host == "fe80::2")
        #expect(address.port == 99)
    }

    @Test("Celery's names of the scheme mean the same, with TLS and without")
    func schemes() throws {
        #expect(try RabbitMQAddress(parsing: "PYAMQPS://h") == RabbitMQAddress(parsing: "amqps://h"))
        #expect(try RabbitMQAddress(parsing: "librabbitmq://h").tls == nil)
    }

    @Test("TLS parameters are for amqps only; unknown ones are listed, not refused")
    func tls() throws {
        let address = try RabbitMQAddress(
            parsing: "amqps://h?cacertfile=/ca.pem&certfile=/c.pem&keyfile=/k.pem&verify=verify_none&x=1")
        #expect(address.tls?.authorities == "/ca.pem")
        #expect(address.tls?.certificate == "/c.pem")
        #expect(address.tls?.key == "/k.pem")
        #expect(address.tls?.verifies == false)
        #expect(address.ignored == ["x"])
        #expect(try RabbitMQAddress(parsing: "amqp://h?cacertfile=/ca.pem").ignored == ["cacertfile"])
        #expect(try RabbitMQAddress(parsing: "amqps://h").tls?.verifies == true)
    }

    @Test(
        "nonsense is refused with a sentence",
        arguments: [
            "", "localhost", "redis://h", "amqp://h:99999", "amqp://h:x", "amqp://%zz@h", "amqp://::1:5/",
            "amqp://[::1", "amqp://a,b",
            "amqp://h?heartbeat=fast", "amqps://h?verify=maybe", "amqp://a%00b@h",
        ])
    func refused(text: String) {
        #expect(throws: RabbitMQAddressError.self) { try RabbitMQAddress(parsing: text) }
    }
}
