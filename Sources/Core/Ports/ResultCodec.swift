/// How stores that others read write results (Celery's `result_serializer` and `result_compression`). In here a meta
/// document is JSON.
public protocol ResultCodec: Sendable {
    /// Of what `encode` makes, as message properties name it.
    var contentType: String { get }
    var contentEncoding: String { get }

    /// The same serializer without compression, for stores whose records are not marked.
    var uncompressed: any ResultCodec { get }

    /// - Throws: permanently, when the serializer has no way to say it.
    func encode(_ meta: [UInt8]) throws(StoreFailure) -> [UInt8]

    /// Also reads what was stored before the settings changed, as far as it can be distinguished.
    func decode(_ stored: [UInt8]) throws(StoreFailure) -> [UInt8]
}
