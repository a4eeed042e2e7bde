// Where the system keeps its time zones (Debian: tzdata), and which one is its own.
import Glibc
import Linux

enum ZoneFiles {
    private static let folders = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/etc/zoneinfo"]

    /// nil: no such zone.
    static func rules(_ name: String) -> ZoneRules? {
        let isName = name.utf8.allSatisfy { byte in
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "/_+-".utf8.contains(byte)
        }
        guard isName, !name.isEmpty, !name.hasPrefix("/") else { return nil }
        for folder in folders {
            if let rules = rules(file: "\(folder)/\(name)") { return rules }
        }
        return nil
    }

    /// As `TZ` or the system says; UTC when neither says anything of use, as the C library has it.
    static func system(_ variable: String?) -> (name: String, rules: ZoneRules) {
        let utc = (name: "UTC", rules: ZoneRules(offset: 0))
        guard var text = variable else {
            return rules(file: "/etc/localtime").map { (systemName ?? "the system's", $0) } ?? utc
        }
        if text.hasPrefix(":") { text.removeFirst() }
        if text.hasPrefix("/") { return rules(file: text).map { (zoneName(in: text) ?? text, $0) } ?? utc }
        return (rules(text) ?? ZoneRules(posix: text)).map { (text, $0) } ?? utc
    }

    private static var systemName: String? { zoneName(in: Files.resolved("/etc/localtime")) }

    /// Of a path: what comes after the folder of all zones.
    private static func zoneName(in path: String) -> String? {
        folders.first { path.hasPrefix($0 + "/") }.map { String(path.dropFirst($0.count + 1)) }
    }

    private static func rules(file: String) -> ZoneRules? {
        do throws(SystemFailure) {
            return ZoneRules(file: try Files.read(file))
        } catch {
            return nil
        }
    }
}
