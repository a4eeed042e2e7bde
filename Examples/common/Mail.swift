// One mail as it goes over the wire (RFC 5322). Un correo, tal como viaja.
import TaskhostSDK

struct Mail {
    var sender: String
    var recipient: String
    var subject: String
    var body: String
    /// The task's id: whoever gets a mail twice, after a crash, can tell. Quien lo reciba dos veces puede saberlo.
    var id: String

    /// Header and body, each line with its end.
    var lines: String {
        let header = [
            "From: \(sender)", "To: \(recipient)", "Subject: \(Self.encoded(subject))", "Message-ID: <\(id)@taskhost>",
            "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", "",
        ]
        let text = body.split(separator: "\n", omittingEmptySubsequences: false)
            // A line that is a single dot would end the mail. Una línea con un solo punto terminaría el correo.
            .map { $0.hasPrefix(".") ? "." + $0 : String($0) }
        return (header + text).map { $0 + "\r\n" }.joined()
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
