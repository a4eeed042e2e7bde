// What is known of a message that was refused: enough to tell those who wait for it.
public import TaskModel
import TaskhostJSON

extension MessageDecoder {
    /// Never to be run: without arguments. With its continuations, if they can be found and are within the bounds.
    /// - Returns: nil: no one may be notified, since only signed messages are believed here and this one may be forged.
    public func salvage(_ delivery: Delivery) -> TaskMessage? {
        guard !believesOnlySigned else { return nil }
        let wire = delivery.message
        var message = TaskMessage(id: "", name: "")
        for field in wire.headers.fields {
            do throws(WireError) {
                try message.take(field.key, field.value)
            } catch {
                // Perhaps the very header it is refused for: it stays unknown.
                continue
            }
        }
        message.eta = nil
        message.expires = nil
        message.replyTo = wire.properties.replyTo
        message.correlationID = wire.properties.correlationID
        if let embed = embed(of: wire) { message.takeContinuations(of: wire.body[embed]) }
        return message
    }

    /// Where callbacks, errbacks, chain and chord are in a body of plain JSON. Its own bounds count: they are what is
    /// read, and the arguments may be what is too much.
    private func embed(of wire: WireMessage) -> Range<Int>? {
        let type = wire.properties.contentType.flatMap(ContentType.named)
        guard type == .json, wire.headers[HeaderName.compression] == nil, wire.body.count <= 4 * limits.maxBodyBytes
        else { return nil }
        do throws(JSONError) {
            let parts = try JSONScan.topLevelArray(wire.body, limits: .trusted)
            guard parts.count == 3, parts[2].count <= limits.maxBodyBytes else { return nil }
            try JSONScan.validate(
                Array(wire.body[parts[2]]), limits: JSONLimits(maxDepth: 512, maxNodes: limits.maxNodes))
            return parts[2]
        } catch {
            return nil
        }
    }
}
