// The outside systems there are. The one place that knows all of them.
import Memcached
import MongoDB
import MySQL
public import Ports
import PostgreSQL
import RabbitMQ
import Redis
import SQLite
import TaskModel

public enum Transports {
    /// A new system is a module, a line in here and Package.swift.
    public static let all: [any Transport.Type] = [
        RabbitMQTransport.self, RedisTransport.self, SQLiteTransport.self, PostgreSQLTransport.self,
        MySQLTransport.self, MemcachedTransport.self, MongoDBTransport.self,
    ]

    /// The address of the broker when none is named: the file in the user's state folder.
    public static let defaultBroker = "sqlite:"

    public static let brokers: [any BrokerTransport.Type] = all.compactMap { $0 as? any BrokerTransport.Type }
    public static let stores: [any ResultTransport.Type] = all.compactMap { $0 as? any ResultTransport.Type }
    public static let limits: [any LimitTransport.Type] = all.compactMap { $0 as? any LimitTransport.Type }
    /// Brokers that carry results to the client that asked.
    public static let direct: [any DirectResultTransport.Type] = all.compactMap {
        $0 as? any DirectResultTransport.Type
    }

    /// The one whose addresses begin like this; nil: there is none of this kind.
    static func system<Kind>(of text: String, among kinds: [Kind]) -> Kind? {
        let scheme = ConnectionURL.scheme(of: text)
        return kinds.first { ($0 as? any Transport.Type)?.schemes.contains(scheme) ?? false }
    }

    /// "a, b or c".
    public static func list(_ forms: [String]) -> String {
        guard let last = forms.last, forms.count > 1 else { return forms.joined() }
        return forms.dropLast().joined(separator: ", ") + " or " + last
    }
}
