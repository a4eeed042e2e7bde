/// A setting that cannot be used: a sentence that names its place, and the fix when we know it.
public struct SettingsFailure: Error, Sendable, Equatable {
    public var message: String
    /// A sentence that tells what to do.
    public var fix: String?

    public init(_ message: String, fix: String? = nil) {
        self.message = message
        self.fix = fix
    }
}
