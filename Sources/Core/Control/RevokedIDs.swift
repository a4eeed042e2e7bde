// Revoked ids as workers tell them to each other at their start.
import TaskhostJSON

enum RevokedIDs {
    /// Celery from 5.7 on tells a list, older ones a map: by id, when it was revoked and the id again. Those times are
    /// of a clock of their own, so that nothing can be learnt from them.
    static func read(_ value: JSON?) -> [String] {
        switch value {
        case .object(let members)?: members.map(\.key)
        case .array(let elements)?: elements.compactMap(\.text)
        case .string(let id)?: [id]
        default: []
        }
    }
}
