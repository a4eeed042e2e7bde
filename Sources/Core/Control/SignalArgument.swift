// The signal that `revoke` and `terminate` name: by name or number, with Python's errors.
import Glibc
import TaskModel
import TaskhostJSON

enum SignalArgument {
    /// nil and an empty text mean the usual one.
    static func number(_ value: JSON?, usual: Int32 = SIGTERM) throws(CommandError) -> Int32 {
        switch value {
        case nil, .null, .string(""): return usual
        case .int(let number):
            guard (1...64).contains(number) else {
                throw CommandError("ValueError", "signal number out of range")
            }
            return Int32(number)
        case .string(let name):
            guard !name.isEmpty, name == name.uppercased(), name != name.lowercased() else { fallthrough }
            if let number = SignalName.number(name) { return number }
            let short = name.hasPrefix("SIG") ? String(name.dropFirst(3)) : name
            throw CommandError("AttributeError", "module 'signal' has no attribute 'SIG\(short)'")
        default:
            throw CommandError("TypeError", "signal name must be uppercase string.")
        }
    }
}
