import Glibc
import Synchronization
package import TaskhostJSON

/// What commands print: results to standard output, notes to standard error.
package enum Console {
    package static func out(_ line: String) { say(line, to: STDOUT_FILENO) }
    package static func note(_ line: String) { say(line, to: STDERR_FILENO) }

    /// To a pipe or file as it is: what goes on to a program is not changed.
    private static func say(_ line: String, to descriptor: Int32) {
        write((isatty(descriptor) == 1 ? Printable.lines(line) : line) + "\n", to: descriptor)
    }

    /// One JSON document on a line of its own.
    package static func out(_ json: JSON) { out(text(json)) }

    package static func text(_ json: JSON) -> String {
        var bytes: [UInt8] = []
        json.write(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A result as people read it: strings without quotes, everything else as JSON.
    package static func plain(_ json: JSON) -> String {
        if case .string(let text) = json { text } else { text(json) }
    }

    /// Line by line and unbuffered, so that output keeps its order whatever it is piped into. Without a reader
    /// (`| head` that has seen enough) the rest is dropped: the command itself goes on to its end.
    /// - Returns: false: its reader is gone, or it has no room.
    @discardableResult
    package static func write(_ text: String, to descriptor: Int32) -> Bool {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno != EINTR {
                if descriptor == STDOUT_FILENO, errno != EPIPE { lost.store(errno, ordering: .relaxed) }
                return false
            }
            bytes = bytes.dropFirst(max(0, written))
        }
        return true
    }

    /// The error number of output that could not be written, for example to a full disk; 0: none.
    private static let lost = Atomic<Int32>(0)

    /// To be called when a command has done its work.
    /// - Throws: some of its output was not written: what stands in the file is not all of it.
    package static func requireWritten() throws(CommandFailure) {
        let error = lost.load(ordering: .relaxed)
        guard error != 0 else { return }
        throw CommandFailure(
            .outputLost, "standard output was not written to its end: \(String(cString: strerror(error)))",
            fix: "Make room, or send the output elsewhere. The command itself has done its work.")
    }
}
