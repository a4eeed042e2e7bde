// Which bundle serves which task name.

internal import TaskModel

struct Catalog {
    struct Entry {
        var file: BundleFile
        var task: TaskManifest
    }

    private var entries: [String: Entry] = [:]

    subscript(name: String) -> Entry? { entries[name] }

    /// Why this bundle cannot be added: a name another file serves already. The sentence names both.
    func conflict(of manifest: BundleManifest, in file: BundleFile) -> String? {
        for task in manifest.tasks {
            guard let other = entries[task.name], other.file !== file else { continue }
            return Self.conflictSentence(task: task.name, in: file.path, owner: other.file.path)
        }
        return nil
    }

    static func conflictSentence(task: String, in path: String, owner: String) -> String {
        "\(path) offers task \(task), which \(owner) offers already."
            + " Rename the task in one of them, or remove one of the files."
    }

    /// Replaces what the file offered before. True: names became free by this.
    mutating func set(_ manifest: BundleManifest?, of file: BundleFile) -> Bool {
        let before = entries.count
        let tasks = manifest?.tasks ?? []
        entries = entries.filter { $0.value.file !== file }
        let old = before - entries.count
        let kept = entries.count
        for task in tasks { entries[task.name] = Entry(file: file, task: task) }
        return entries.count - kept < old
    }
}
