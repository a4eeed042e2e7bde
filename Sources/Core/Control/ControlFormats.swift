// How control messages are written: JSON, and whatever else the operator accepts, signed ones among it.
public import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

/// A body that was read, and how it was written. Of the type `auth`: by somebody whose certificate we know.
struct ControlContent: Sendable {
    var body: JSON
    var type: ContentType
}

public struct ControlFormats: Sendable {
    private let formats: any BodyFormats
    private let accepted: [ContentType]

    /// - Parameter accepted: beside JSON, which every client can write.
    public init(_ formats: any BodyFormats = PlainJSON(), accepted: [ContentType] = []) {
        self.formats = formats
        self.accepted = [.json] + accepted.filter { $0 != .json }
    }

    /// Control messages are small; this holds a `revoke` of thousands of ids.
    private static let limits = JSONLimits(maxDepth: 16, maxNodes: 100_000)

    func content(of message: WireMessage, now: WallTime) -> Result<ControlContent, ControlDecodingError> {
        do throws(ControlDecodingError) {
            return .success(try read(message, now: now))
        } catch {
            return .failure(error)
        }
    }

    private func read(_ message: WireMessage, now: WallTime) throws(ControlDecodingError) -> ControlContent {
        let name = message.properties.contentType ?? ContentType.json.mimeType
        guard let type = ContentType.named(name), accepted.contains(type) else {
            let names = accepted.map(\.mimeType).joined(separator: ", ")
            throw ControlDecodingError("content type \(name) is not accepted here (accepted: \(names))")
        }
        let text: [UInt8]
        do throws(WireError) {
            text = try formats.json(from: message.body, type, nil, limits: .standard, now: now)
        } catch {
            throw ControlDecodingError("its body can't be read: \(error.detail)")
        }
        do throws(JSONError) {
            return ControlContent(body: try JSON(parsing: text, limits: Self.limits), type: type)
        } catch {
            throw ControlDecodingError("its body is no JSON: \(error)")
        }
    }

    /// A message of ours that is JSON so far. Where there is no key to sign with it stays that.
    func written(_ message: WireMessage, as type: ContentType) -> (message: WireMessage, failure: WireError?) {
        do throws(WireError) {
            return (try message.encoded(as: type, nil, by: formats), nil)
        } catch {
            return (message, error)
        }
    }
}
