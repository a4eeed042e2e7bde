// A child's death in words.
public import TaskModel

extension Death {
    /// "signal 11 (SIGSEGV)", "exitcode 3", as billiard tells it.
    public var causeText: String {
        switch cause {
        case .signal(let number): SignalName.of(number).map { "signal \(number) (\($0))" } ?? "signal \(number)"
        case .exit(let code): "exitcode \(code)"
        case .protocolViolation(let what): "protocol violation (\(what))"
        case .zygoteLost(_, let reason): "the task ran alone when \(reason)"
        }
    }

    /// Where it died and what it said before; nil when nothing is known.
    func report(output: [UInt8]) -> String? {
        var lines: [String] = []
        if let address {
            lines.append("Fault address: 0x\(String(address, radix: 16))")
        }
        if !stack.isEmpty {
            lines.append("Native stack (innermost first):")
            lines += stack.prefix(Self.reportedFrames).map { "  \($0)" }
        }
        let said = Text.tail(of: output, bytes: 4096)
        if !said.isEmpty {
            lines.append("Last output:")
            lines.append(said)
        }
        return lines.isEmpty ? nil : lines.joined(separator: "\n")
    }

    static let reportedFrames = 64
}

extension MemoryExcess {
    public var sentence: String {
        "killed: its processes had \(residentKiB / 1024) MiB resident, its memory limit is \(limitMebibytes) MiB"
    }
}

enum Text {
    /// The end of some output as text, at most so many bytes of UTF-8; what is not UTF-8 becomes U+FFFD.
    static func tail(of output: [UInt8], bytes: Int) -> String {
        let text = String(decoding: output.suffix(bytes), as: UTF8.self)
        guard text.utf8.count > bytes else { return text }
        var start = text.utf8.index(text.utf8.endIndex, offsetBy: -bytes)
        while start < text.endIndex, text.utf8[start] & 0xC0 == 0x80 { text.utf8.formIndex(after: &start) }
        return String(text[start...])
    }

    /// The beginning of a text, at most so many characters.
    static func head(of text: String, characters: Int) -> String {
        let scalars = text.unicodeScalars
        guard scalars.count > characters else { return text }
        return String(scalars.prefix(characters)) + "…"
    }
}
