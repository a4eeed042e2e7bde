import CeleryWire
import Client
import Control
import Foundation
import WireFormats

extension Configuration {
    /// Reads keys and certificates, if any are named.
    func formats() throws(CommandFailure) -> WireFormats {
        guard let store = security.certificateStore else {
            guard security.key == nil, security.certificate == nil else {
                throw .configuration("[security] names a key and no cert_store", fix: "set cert_store as well")
            }
            return WireFormats()
        }
        do {
            return WireFormats(
                keyring: try Keyring(
                    store: store, key: security.key, keyPassword: security.keyPassword,
                    certificate: security.certificate, digest: security.digest,
                    now: Int64(Date.now.timeIntervalSince1970)))
        } catch {
            throw .configuration("[security] \(error)", fix: "see docs/wire.md, Signed messages")
        }
    }

    /// Signed, as tasks would be, or because workers want it.
    func commandFormats() throws(CommandFailure) -> CommandFormats {
        let signs = taskSerializer == .auth || controlPolicy.requiresSigned
        return CommandFormats(signs ? try formats() : PlainJSON(), signs: signs)
    }
}
