// `taskhost bundles --stubs LANGUAGE`: what clients need to call tasks by name, parameters and types.
package import TaskModel
package import TaskhostJSON

package enum ClientStubs {
    package enum Language: String, Sendable, CaseIterable {
        case python, swift, typescript
    }

    package static func text(_ bundles: [BundleManifest], in language: Language) -> String {
        let tasks = bundles.flatMap(\.tasks).sorted { $0.name < $1.name }
        let names = Set(bundles.map { "\($0.name) \($0.version)" }).sorted().joined(separator: ", ")
        switch language {
        case .python: return python(tasks, of: names)
        case .swift: return swift(tasks, of: names)
        case .typescript: return typeScript(tasks, of: names)
        }
    }

    static func madeBy(_ option: String, _ names: String) -> String {
        "Made by `taskhost bundles --stubs \(option)` from \(names.isEmpty ? "no bundle" : names): make it anew, don't edit it."
    }

    /// A name for a task that is no other's: its last part, else all of it, and a number where that is not enough.
    static func uniqueNames(_ tasks: [TaskManifest], _ make: (String) -> String) -> [String] {
        let short = tasks.map { make($0.name.split(separator: ".").last.map(String.init) ?? $0.name) }
        var taken: Set<String> = []
        return tasks.indices.map { index in
            let isAlone = short.count { $0 == short[index] } == 1
            var name = isAlone ? short[index] : make(tasks[index].name)
            while taken.contains(name) { name += "_" }
            taken.insert(name)
            return name
        }
    }

    /// "images_resize" of "images.resize"; never empty, never beginning with a digit.
    static func identifier(_ text: String) -> String {
        let letters = String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
        return letters.first.map { $0.isNumber } ?? true ? "_" + letters : letters
    }

    static func isIdentifier(_ text: String) -> Bool { !text.isEmpty && identifier(text) == text }

    /// In a comment or text of one line.
    static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ").replacing("*/", with: "* /")
            .replacing("\\", with: "\\\\").replacing("\"\"\"", with: "'''")
    }
}

extension TaskManifest.Parameter {
    /// "*rest" and "**options" take what is left over.
    var takesRest: Bool { name.hasPrefix("*") }
    package var isRequired: Bool { defaultJSON == nil && !takesRest }

    /// nil: there is none. What is no JSON is what the bundle's author wrote, as a text.
    package var defaultValue: JSON? {
        guard let text = defaultJSON else { return nil }
        do {
            return try JSON(parsing: Array(text.utf8), limits: .trusted)
        } catch {
            return .string(text)
        }
    }
}
