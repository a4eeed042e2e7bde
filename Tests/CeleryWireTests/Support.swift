// What the tests of this module share.
import TaskModel
import TaskhostJSON

let noon = WallTime(microseconds: 1_795_435_200_000_000)

func delivery(
    body: String = "[[2, 3], {}, {}]", headers: FieldTable = ["task": .string("demo.add"), "id": .string("U1")],
    contentType: String? = "application/json", contentEncoding: String? = "utf-8"
) -> Delivery {
    var properties = MessageProperties()
    properties.contentType = contentType
    properties.contentEncoding = contentEncoding
    return delivery(WireMessage(properties: properties, headers: headers, body: Array(body.utf8)))
}

func delivery(_ message: WireMessage) -> Delivery {
    Delivery(
        tag: DeliveryTag(link: 1, number: 1), queue: "celery", exchange: "", routingKey: "celery", redelivered: false,
        message: message)
}

func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }
