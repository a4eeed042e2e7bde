import Glibc
import TaskhostJSON

/// What commands print: results to standard output, remarks to standard error.
enum Console {
    static func out(_ line: String) { write(line + "\n", to: STDOUT_FILENO) }
    static func remark(_ line: String) { write(line + "\n", to: STDERR_FILENO) }

    /// One JSON document on a line of its own.
    static func out(_ json: JSON) { out(text(json)) }

    static func text(_ json: JSON) -> String {
        var bytes: [UInt8] = []
        json.write(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A result as people read it: strings without quotes, everything else as JSON.
    static func plain(_ json: JSON) -> String {
        if case .string(let text) = json { text } else { text(json) }
    }

    /// Names and arguments are strangers' texts: nothing of theirs may steer the terminal.
    static func printable(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }
        return String(String.UnicodeScalarView(scalars))
    }

    /// Line by line and unbuffered, so that output keeps its order whatever it is piped into. Without a reader
    /// (`| head` that has seen enough) the rest is dropped: the errand itself goes on to its end.
    /// - Returns: false: nobody reads there any more.
    @discardableResult
    static func write(_ text: String, to descriptor: Int32) -> Bool {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno != EINTR { return false }
            bytes = bytes.dropFirst(max(0, written))
        }
        return true
    }
}
