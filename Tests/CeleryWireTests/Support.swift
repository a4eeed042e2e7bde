// What the tests of this module share.
import TaskModel
import TaskhostJSON

/// A small generator with a seed that can be printed.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

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
