// How TLS is asked for in an address of MySQL: the parameters of PyMySQL and of mysqlclient, as SQLAlchemy passes them on.
import Ports
import TaskModel

public struct MySQLTLS: Sendable, Equatable {
    public enum Demand: Sendable { case none, ifOffered, always }
    public var demand = Demand.none
    /// The server's certificate is checked, and that it is for the host of the address.
    public var verifies = false
    public var ca: String?
    public var caFolder: String?
    public var certificate: String?
    public var key: String?
    public var keyPassword: String?
    public var cipher: String?

    static let names: Set<String> = [
        "ssl", "ssl_disabled", "ssl_mode", "ssl_ca", "ssl_capath", "ssl_cert", "ssl_key", "ssl_key_password",
        "ssl_cipher",
        "ssl_check_hostname", "ssl_verify_cert", "ssl_verify_identity",
    ]

    init(_ url: ConnectionURL) throws(StoreFailure) {
        func text(_ name: String) -> String? { url[parameter: name].flatMap { $0.isEmpty ? nil : $0 } }
        ca = text("ssl_ca")
        caFolder = text("ssl_capath")
        certificate = text("ssl_cert")
        key = text("ssl_key")
        keyPassword = text("ssl_key_password")
        cipher = text("ssl_cipher")
        let isNamed = [ca, caFolder, certificate, key, cipher].contains { $0 != nil }
        if isNamed || Self.flag(url["ssl"]) ?? false { demand = .always }
        // As in PyMySQL: who names an authority has the certificate checked.
        verifies = ca != nil || caFolder != nil
        for name in ["ssl_verify_cert", "ssl_verify_identity", "ssl_check_hostname"] {
            guard let value = url[parameter: name] else { continue }
            guard let isOn = Self.flag(value) else { throw MySQLAddress.malformed("\(name) is true or false") }
            guard isOn != verifies else { continue }
            guard isOn else {
                throw StoreFailure(
                    "The MySQL address names an authority and says \(name)=\(value): a certificate is checked whole here, or not",
                    .refused, fix: "Leave out \(name), or the authority (ssl=true encrypts without a check)")
            }
            (verifies, demand) = (true, .always)
        }
        try read(mode: text("ssl_mode"))
        if Self.flag(url["ssl_disabled"]) ?? false { demand = .none }
    }

    private mutating func read(mode: String?) throws(StoreFailure) {
        switch mode?.uppercased() {
        case nil: break
        case "DISABLED": demand = .none
        case "PREFERRED": if demand == .none { demand = .ifOffered }
        case "REQUIRED": demand = .always
        case "VERIFY_CA", "VERIFY_IDENTITY": (verifies, demand) = (true, .always)
        default:
            throw MySQLAddress.malformed("ssl_mode is DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY")
        }
    }

    /// nil: neither.
    private static func flag(_ text: String?) -> Bool? {
        switch text?.lowercased() {
        case "true", "1", "yes", "on": true
        case "false", "0", "no", "off": false
        default: nil
        }
    }
}

extension ConnectionURL {
    fileprivate subscript(name: String) -> String? { self[parameter: name] }
}
