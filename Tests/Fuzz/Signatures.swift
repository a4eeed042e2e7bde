// Signatures and continuations, as clients put them into messages: read, called, and what would be sent is JSON.
import Canvas
import CeleryWire
import TaskModel
import TaskhostJSON

extension Targets {
    /// A signature, or the third part of a body.
    static func signatures(_ bytes: [UInt8]) {
        guard case .success(let json) = Result(catching: { try JSON(parsing: bytes) }) else { return }
        var canvas = canvas()
        do throws(CanvasError) {
            try canvas.apply(try SignatureTree(json), args: [1])
        } catch {
            precondition(!error.description.isEmpty)
        }
        check(canvas)
        let following = Continuations(json)
        canvas = Self.canvas()
        do throws(CanvasError) {
            try canvas.succeed(following, with: 1)
            _ = try canvas.fail(
                following.errbacks, taskID: "U1", rootID: "U1", isCalledHere: { $0.task.utf8.count % 2 == 0 })
        } catch {
            precondition(!error.description.isEmpty)
        }
        check(canvas)
        _ = FailedStep.all(of: following.chain)
    }

    private static func canvas() -> Canvas {
        var number = 0
        return Canvas(
            CanvasContext(parentID: "U1", rootID: "U1", replyTo: "r", origin: "o", now: now) {
                number += 1
                return "N\(number)"
            })
    }

    private static func check(_ canvas: Canvas) {
        for effect in canvas.effects {
            guard case .publish(let call) = effect else { continue }
            precondition(isJSON(call.message.body) && isJSON(HeadersJSON.bytes(call.message.headers)))
        }
    }
}
