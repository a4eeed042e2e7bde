// Which bundle serves which task name.

internal import TaskModel

struct Catalog {
    /// Shared: looked up a few times for each run, and a manifest has many parts to be copied.
    final class Entry {
        let file: BundleFile
        let task: TaskManifest
        let pace: TaskPace

        init(file: BundleFile, task: TaskManifest, pace: TaskPace) {
            self.file = file
            self.task = task
            self.pace = pace
        }
    }

    private var entries: [String: Entry] = [:]
    /// Outlives the version of a bundle.
    private var paces: [String: TaskPace] = [:]
    /// Found last: the next question is mostly about the same task.
    private var recent: Entry?

    subscript(name: String) -> Entry? {
        mutating get {
            if let recent, recent.task.name == name { return recent }
            guard let found = entries[name] else { return nil }
            recent = found
            return found
        }
    }

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
        recent = nil
        let before = entries.count
        let tasks = manifest?.tasks ?? []
        entries = entries.filter { $0.value.file !== file }
        let old = before - entries.count
        let kept = entries.count
        for task in tasks { entries[task.name] = Entry(file: file, task: task, pace: pace(of: task.name)) }
        return entries.count - kept < old
    }

    /// nil: never offered by any bundle so far.
    func knownPace(of name: String) -> TaskPace? { paces[name] }

    private mutating func pace(of name: String) -> TaskPace {
        if let known = paces[name] { return known }
        let pace = TaskPace()
        paces[name] = pace
        return pace
    }
}
