// One mail as it goes over the wire (RFC 5322). Un correo, tal como viaja.
import TaskhostSDK

struct Mail {
    var sender: String
    var recipient: String
    var subject: String
    var body: String
    var attachment: Attachment?
    /// The task's id: whoever gets a mail twice, after a crash, can tell. Quien lo reciba dos veces puede saberlo.
    var id: String

    /// A file that comes with it. Un archivo adjunto.
    struct Attachment {
        /// "report.pdf", in ASCII.
        var name: String
        /// "application/pdf"
        var type: String
        var bytes: [UInt8]
    }

    /// Header and body, each line with its end.
    var lines: String {
        let header = [
            "From: \(sender)", "To: \(recipient)", "Subject: \(Self.encoded(subject))", "Message-ID: <\(id)@taskhost>",
            "MIME-Version: 1.0",
        ]
        let text =
            ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", ""]
            + body.split(separator: "\n", omittingEmptySubsequences: false)
            // A line that is a single dot would end the mail. Una línea con un solo punto terminaría el correo.
            .map { $0.hasPrefix(".") ? "." + $0 : String($0) }
        let content = attachment.map { Self.parts(text, $0, boundary: "part-\(id)") } ?? text
        return (header + content).map { $0 + "\r\n" }.joined()
    }

    /// RFC 2046: the text, then the file.
    private static func parts(_ text: [String], _ file: Attachment, boundary: String) -> [String] {
        let fields = [
            "Content-Type: \(file.type)", "Content-Transfer-Encoding: base64",
            "Content-Disposition: attachment; filename=\"\(file.name)\"", "",
        ]
        return ["Content-Type: multipart/mixed; boundary=\"\(boundary)\"", "", "--\(boundary)"] + text
            + ["--\(boundary)"] + fields + base64(file.bytes) + ["--\(boundary)--"]
    }

    /// RFC 2045: lines of 76 characters.
    private static func base64(_ bytes: [UInt8]) -> [String] {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        return stride(from: 0, to: bytes.count, by: 57).map { start in
            var line: [UInt8] = []
            for three in stride(from: start, to: min(start + 57, bytes.count), by: 3) {
                let part = bytes[three..<min(three + 3, bytes.count)]
                let number = part.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - part.count))
                line += (0...part.count).map { digits[number >> (18 - 6 * $0) & 63] }
                line += repeatElement(UInt8(ascii: "="), count: 3 - part.count)
            }
            return String(decoding: line, as: UTF8.self)
        }
    }

    /// Addresses and subjects come from outside: what could begin a header or command of its own is no address.
    static func isAddress(_ text: String) -> Bool {
        text.contains("@") && text.unicodeScalars.allSatisfy { (33..<127).contains($0.value) && $0 != "<" && $0 != ">" }
    }

    /// RFC 2047: headers are ASCII.
    private static func encoded(_ text: String) -> String {
        if text.unicodeScalars.allSatisfy({ (32..<127).contains($0.value) }) { return text }
        return "=?UTF-8?Q?" + text.utf8.map { "=" + hexadecimal($0) }.joined() + "?="
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return digits.count == 1 ? "0" + digits : digits
    }
}
