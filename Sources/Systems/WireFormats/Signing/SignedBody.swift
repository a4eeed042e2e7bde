// The envelope of the `auth` serializer (celery-protocol.md §9.1): base64 of five fields, the last of them the body.
import CeleryWire
import TaskModel

struct SignedBody {
    private static let separator: [UInt8] = [0, 1]

    var signer: String
    var signature: [UInt8]
    var contentType: String
    var contentEncoding: String
    var payload: ArraySlice<UInt8>

    init(parsing text: [UInt8]) throws(WireError) {
        guard let raw = Base64.decode(text) else { throw WireError(.badSignature, "a signed body is not base64") }
        var fields: [ArraySlice<UInt8>] = []
        var start = 0
        var index = 0
        while fields.count < 4, index + 1 < raw.count {
            if raw[index] == 0, raw[index + 1] == 1 {
                fields.append(raw[start..<index])
                index += 2
                start = index
            } else {
                index += 1
            }
        }
        guard fields.count == 4,
            let signer = Base64.decode(Array(fields[0])).flatMap({ String(validating: $0, as: UTF8.self) }),
            let signature = Base64.decode(Array(fields[1])), let type = String(validating: fields[2], as: UTF8.self),
            let encoding = String(validating: fields[3], as: UTF8.self)
        else { throw WireError(.badSignature, "a signed body lacks signer, signature or content type") }
        self.signer = signer
        self.signature = signature
        contentType = type
        contentEncoding = encoding
        payload = raw[start...]
    }

    static func bytes(
        signer: String, signature: [UInt8], type: ContentType, payload: [UInt8]
    ) -> [UInt8] {
        let fields = [
            Base64.encodedBytes(Array(signer.utf8)), Base64.encodedBytes(signature), Array(type.mimeType.utf8),
            Array(type.encoding.utf8), payload,
        ]
        return Base64.encodedBytes(Array(fields.joined(separator: separator)))
    }
}
