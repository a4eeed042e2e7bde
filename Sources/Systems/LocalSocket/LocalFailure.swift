// Why there is no socket, or no host at it.
import TaskModel

/// A sentence with its fix.
public struct LocalFailure: Error, Sendable, CustomStringConvertible {
    public var detail: String
    public var fix: String?

    init(_ detail: String, fix: String? = nil) {
        self.detail = detail
        self.fix = fix
    }

    public var description: String { failureText(detail, fix: fix) }
}
