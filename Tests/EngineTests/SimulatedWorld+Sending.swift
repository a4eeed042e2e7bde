// What tests do to the model world: send to it, kill its broker.
import Ports
import TaskModel

@testable import Engine

extension SimulatedWorld {
    /// The broker is killed and comes back without the acknowledgements it had not written yet: all of them.
    func killBroker() {
        for message in acknowledged { enqueue(message, redelivered: true) }
        acknowledged.removeAll()
        breakLink()
    }

    func send(_ id: String, headers: FieldTable = [:], priority: UInt8 = 0, body: String = "[[],{},{}]") {
        var properties = MessageProperties()
        properties.contentType = "application/json"
        properties.contentEncoding = "utf-8"
        properties.priority = priority
        var all: FieldTable = ["task": .string("t"), "id": .string(id)]
        for field in headers.fields { all[field.key] = field.value }
        enqueue(WireMessage(properties: properties, headers: all, body: Array(body.utf8)), redelivered: false)
    }
}
