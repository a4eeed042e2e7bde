// `[routes]`: order, and what is refused.
import Canvas
import Settings
import Testing

@testable import Configuration

@Suite("Routes") struct RouteTests {
    private func rules(_ text: String) throws -> [Routes.Rule] {
        let layer = try TOMLReader(file: "t.toml", text: text).read()
        return try ConfigurationBuilder(settings: layer, hostName: "h", processors: 1).build().routes
    }

    @Test("longer patterns come first, queues and exchanges are told apart")
    func order() throws {
        let made = try rules(
            """
            [routes."*"]
            queue = "celery"
            [routes."images.*"]
            queue = "images"
            [routes."events.sent"]
            exchange = "events"
            routing_key = "native"
            """)
        #expect(made.map(\.pattern) == ["events.sent", "images.*", "*"])
        #expect(made.map(\.target) == [.exchange("events", routingKey: "native"), .queue("images"), .queue("celery")])
    }

    @Test("a route that names both a queue and an exchange is refused by its pattern")
    func refused() {
        #expect {
            _ = try rules("[routes.\"a.*\"]\nqueue = \"q\"\nexchange = \"e\"")
        } throws: { "\($0)".contains("a.*") }
    }
}
