// How commands to workers are written: JSON, or signed; and replies read.
public import CeleryWire
import Glibc
import Ports
import TaskModel
import TaskhostJSON

public struct CommandFormats: Sendable {
    private let formats: any BodyFormats
    private let type: ContentType
    private let now: @Sendable () -> Double

    /// - Parameters:
    ///   - signs: by the key that `formats` has.
    ///   - now: Unix time, which signed commands carry.
    public init(
        _ formats: any BodyFormats = PlainJSON(), signs: Bool = false,
        now: @escaping @Sendable () -> Double = CommandFormats.systemTime
    ) {
        self.formats = formats
        self.now = now
        type = signs ? .auth : .json
    }

    /// - Throws: there is no key to sign with.
    func written(_ command: WireMessage) throws(WireError) -> WireMessage {
        var command = command
        if type == .auth { command.body = marked(command.body) }
        return try command.encoded(as: type, nil, by: formats)
    }

    /// With what says that it is of this moment. What is no object stays as it is.
    private func marked(_ body: [UInt8]) -> [UInt8] {
        do throws(JSONError) {
            guard let members = try JSON(parsing: body, limits: .trusted).members else { return body }
            return JSON.object(members + [FreshMark.member(at: now())]).bytes
        } catch {
            return body
        }
    }

    public static func systemTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
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
