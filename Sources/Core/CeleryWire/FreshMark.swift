// What a signed command says of its age, in the signed body, so that a reader of it cannot send it again later.
import TaskModel
public import TaskhostJSON

/// `"taskhost_fresh": {"at": Unix seconds, "nonce": text}` beside method and arguments. Celery's workers pass over what
/// they do not know there.
public enum FreshMark {
    public static let key = "taskhost_fresh"

    /// - Parameters:
    ///   - at: Unix time, in seconds.
    ///   - nonce: nil: a new one.
    public static func member(at: Double, nonce: String? = nil) -> JSONMember {
        JSONMember(key: key, value: ["at": .double(at), "nonce": .string(nonce ?? UUIDText.random())])
    }
}
