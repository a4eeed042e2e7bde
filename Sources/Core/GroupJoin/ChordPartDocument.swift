// One counted part of a chord, as Python workers and we read it.
public import Ports
import TaskModel
import TaskhostJSON

extension ChordPart {
    /// JSON `[1, task id, state, value]` (celery-protocol.md §4.5).
    public var document: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(value.count + taskID.utf8.count + 32)
        bytes.append(contentsOf: "[1, ".utf8)
        JSONWriter.append(taskID, into: &bytes)
        bytes.append(contentsOf: ", \"\(state.rawValue)\", ".utf8)
        bytes.append(contentsOf: value)
        bytes.append(UInt8(ascii: "]"))
        return bytes
    }
}
