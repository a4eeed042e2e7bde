import CLinux
import CeleryWire
package import Client
import Control
package import Output
import Settings
package import WireFormats

extension Configuration {
    /// Reads keys and certificates, if any are named.
    package func formats() throws(CommandFailure) -> WireFormats {
        let security = Settings.security
        guard let store = self[security.certStore] else {
            guard self[security.key] == nil, self[security.certificate] == nil else {
                throw .configuration("[security] names a key and no cert_store", fix: "set cert_store as well")
            }
            return WireFormats()
        }
        do {
            return WireFormats(
                keyring: try Keyring(
                    store: store, key: self[security.key], keyPassword: keyPassword,
                    certificate: self[security.certificate], digest: self[security.digest],
                    now: clinux_realtime_us() / 1_000_000))
        } catch {
            throw .configuration("[security] \(error)", fix: "see docs/wire.md, Signed messages")
        }
    }

    /// Signed, as tasks would be, or because workers want it.
    package func commandFormats() throws(CommandFailure) -> CommandFormats {
        let signs = self[Settings.wire.taskSerializer] == .auth || controlPolicy.requiresSigned
        return CommandFormats(signs ? try formats() : PlainJSON(), signs: signs)
    }
}
