package import Ports
package import Settings

/// Why a command ends without having done its work: a sentence, the fix when we know it, and the exit status.
package struct CommandFailure: Error, Sendable, Equatable, CustomStringConvertible {
    package var status: ExitStatus
    package var message: String
    /// A sentence that tells what to do.
    package var fix: String?

    package init(_ status: ExitStatus, _ message: String, fix: String? = nil) {
        self.status = status
        self.message = message
        self.fix = fix
    }

    package var description: String { fix.map { "\(message)\n  fix: \($0)" } ?? message }

    /// - Throws: what is wrong with the settings, as a command's failure.
    package static func reading<Value>(_ read: () throws(SettingsFailure) -> Value) throws(CommandFailure) -> Value {
        do {
            return try read()
        } catch {
            throw .configuration(error)
        }
    }

    package static func configuration(_ failure: SettingsFailure) -> CommandFailure {
        .configuration(failure.message, fix: failure.fix)
    }

    package static func configuration(_ message: String, fix: String? = nil) -> CommandFailure {
        CommandFailure(.configuration, message, fix: fix)
    }

    /// - Parameter what: what was not done, before the reason.
    package static func unavailable(_ failure: BrokerFailure, _ what: String? = nil) -> CommandFailure {
        CommandFailure(.unavailable, (what.map { "\($0): " } ?? "") + failure.detail, fix: failure.fix)
    }

    package static func unavailable(_ failure: StoreFailure) -> CommandFailure {
        CommandFailure(.unavailable, failure.detail, fix: failure.fix)
    }
}
