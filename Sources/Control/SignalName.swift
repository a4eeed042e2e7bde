// Signals by name or number, as `revoke` names them.
import Glibc
import TaskhostJSON

public enum SignalName {
    /// Those that can be meant by somebody who wants a task to end or to notice something.
    private static let numbers: [String: Int32] = [
        "HUP": SIGHUP, "INT": SIGINT, "QUIT": SIGQUIT, "ILL": SIGILL, "TRAP": SIGTRAP, "ABRT": SIGABRT,
        "BUS": SIGBUS, "FPE": SIGFPE, "KILL": SIGKILL, "USR1": SIGUSR1, "SEGV": SIGSEGV, "USR2": SIGUSR2,
        "PIPE": SIGPIPE, "ALRM": SIGALRM, "TERM": SIGTERM, "CONT": SIGCONT, "STOP": SIGSTOP, "TSTP": SIGTSTP,
        "XCPU": SIGXCPU, "XFSZ": SIGXFSZ, "VTALRM": SIGVTALRM, "PROF": SIGPROF, "WINCH": SIGWINCH, "IO": SIGIO,
        "SYS": SIGSYS,
    ]

    public static func isKnown(_ name: String) -> Bool { numbers[short(name)] != nil }

    /// They are written with or without `SIG`, in capitals.
    private static func short(_ name: String) -> String { name.hasPrefix("SIG") ? String(name.dropFirst(3)) : name }

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
            if let number = numbers[short(name)] { return number }
            throw CommandError("AttributeError", "module 'signal' has no attribute 'SIG\(short(name))'")
        default:
            throw CommandError("TypeError", "signal name must be uppercase string.")
        }
    }
}
