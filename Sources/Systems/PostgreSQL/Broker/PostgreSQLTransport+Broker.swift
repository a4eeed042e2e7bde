// PostgreSQL as broker: what a process opens of it. All but the consumer and what listens share one connection.
public import Ports
import TaskModel

extension PostgreSQLTransport: BrokerTransport {
    public static let unheardHint =
        "does a pooler stand between (LISTEN needs a connection of its own)? `taskhost doctor` tells"

    public func broker() -> any Broker { PostgreSQLBroker(line: line) }
    public func control() -> any ControlChannel { PostgreSQLControl(line: line) }
    public func events() -> (any EventChannel)? { PostgreSQLEvents(line: line) }
    public func eventSource() -> (any EventSource)? { PostgreSQLEventSource(line: line) }
    public func leadership() -> any Leadership { PostgreSQLLeadership(line: line) }
}
