// Reads the one thing of a stored document that decides whether it may be overwritten.
import TaskModel
import TaskhostJSON

public enum StoredMeta {
    private static let success = [UInt8](TaskState.success.rawValue.utf8)

    /// Whether its status is SUCCESS. What cannot be read (compressed by a Python worker, damaged) counts as another
    /// state: losing our result would be worse than replacing theirs.
    public static func isSuccess(_ document: [UInt8]) -> Bool {
        // Most documents found here are STARTED or RETRY: no need to parse those.
        guard contains(document, success) else { return false }
        do {
            return try JSON(parsing: document, limits: .trusted)["status"]?.text == TaskState.success.rawValue
        } catch {
            return false
        }
    }

    private static func contains(_ bytes: [UInt8], _ word: [UInt8]) -> Bool {
        guard bytes.count >= word.count else { return false }
        return (0...(bytes.count - word.count)).contains { start in
            bytes[start] == word[0] && bytes[start..<(start + word.count)].elementsEqual(word)
        }
    }
}
