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

    /// Line by line and unbuffered, so that output keeps its order whatever it is piped into. Without a reader
    /// (`| head` that has seen enough) the rest is dropped: the errand itself goes on to its end.
    static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno != EINTR { return }
            bytes = bytes.dropFirst(max(0, written))
        }
    }
}
