// Linux's signals by number and by name.

/// Linux's signal numbers on x86-64 and arm64 (signal(7)). A table, so that no C library is needed.
public enum SignalName {
    private static let names = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM",
        "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH",
        "IO",
        "PWR", "SYS",
    ]

    /// "SIGSEGV" for 11; nil for a number without a name (0, real-time signals).
    public static func of(_ number: Int32) -> String? {
        1...Int32(names.count) ~= number ? "SIG" + names[Int(number) - 1] : nil
    }

    /// 11 for "SIGSEGV" and "SEGV"; nil for a name that is none.
    public static func number(_ name: String) -> Int32? {
        let short = name.hasPrefix("SIG") ? String(name.dropFirst(3)) : name
        return names.firstIndex(of: short).map { Int32($0) + 1 }
    }
}
