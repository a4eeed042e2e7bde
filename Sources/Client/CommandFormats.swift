// How commands to workers are written: JSON, or signed; and replies read.
public import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

public struct CommandFormats: Sendable {
    private let formats: any BodyFormats
    private let type: ContentType

    /// - Parameter signs: by the key that `formats` has.
    public init(_ formats: any BodyFormats = PlainJSON(), signs: Bool = false) {
        self.formats = formats
        type = signs ? .auth : .json
    }

    /// - Throws: there is no key to sign with.
    func written(_ command: WireMessage) throws(WireError) -> WireMessage {
        try command.encoded(as: type, nil, by: formats)
    }

    /// nil: it is not for us, or not by somebody whose certificate we know.
    func body(of reply: WireMessage, now: WallTime) -> JSON? {
        do {
            let type = ContentType.named(reply.properties.contentType ?? "") ?? .json
            let text = try formats.json(from: reply.body, type, nil, limits: .standard, now: now)
            return try JSON(parsing: text, limits: .trusted)
        } catch {
            return nil
        }
    }
}
