// `taskhost new`: a template of the SDK, copied under another name.
package import Configuration
import Glibc
import Linux
package import Output

package struct NewBundle {
    /// The folder to make, as it was typed.
    package var folder: String
    package var language: Language

    /// What the templates call themselves, and where they look when nobody has said where this installation is.
    private static let placeholder = "example"
    private static let usualSDK = "/usr/local/share/taskhost/sdk"
    private static let usualProgram = "/usr/local/bin/taskhost"

    package init(_ folder: String, language: Language) throws(CommandFailure) {
        var folder = folder
        while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
        (self.folder, self.language) = (folder, language)
        if let problem = Self.problem(with: name) {
            throw CommandFailure(.usage, "\"\(name)\" cannot be a bundle's name: \(problem)", fix: Self.fix(for: name))
        }
    }

    /// The last part of the path: it becomes the name of a library, a module and a crate.
    var name: String { folder.split(separator: "/").last.map(String.init) ?? folder }

    private static let taken: Set<String> = [
        "test", "build", "taskhost", "celery", "core", "std", "alloc", "self", "main", "swift",
    ]

    private static func problem(with name: String) -> String? {
        guard let first = name.first, first.isASCII, first.isLetter else { return "it must begin with a letter" }
        guard name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }) else {
            return "letters, digits and _ are what libraries, modules and crates may be called"
        }
        return taken.contains(name.lowercased()) ? "compilers or the template mean something else by it" : nil
    }

    private static func fix(for name: String) -> String {
        let letters = name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
        let plain = String(letters.drop { !$0.isLetter })
        if plain.isEmpty { return "taskhost new my_tasks" }
        return "taskhost new \(taken.contains(plain.lowercased()) ? "my_" : "")\(plain)"
    }

    /// - Returns: the files that were made, as paths below the folder.
    package func make(_ installation: Installation) throws(CommandFailure) -> [String] {
        let template = "\(installation.sdk)/templates/\(language.name)"
        guard Files.isFolder(template) else {
            throw .configuration(
                "the templates are not there: \(template)",
                fix: "apt install taskhost-dev; from source: make install PREFIX=…")
        }
        guard !Files.exists(folder) else {
            throw CommandFailure(
                .cannotCreate, "\(folder) is there already",
                fix: "choose another name, or remove it first; nothing was changed")
        }
        var made: [String] = []
        do throws(SystemFailure) {
            let words = [
                (Self.usualSDK, installation.sdk), (Self.usualProgram, installation.program), (Self.placeholder, name),
            ]
            try copy(template, to: folder, below: "", &made, words)
        } catch {
            throw CommandFailure(.cannotCreate, "\(folder): \(error)", fix: "go to a folder that you may write to")
        }
        return made
    }

    private func copy(
        _ source: String, to target: String, below: String, _ made: inout [String], _ words: [(String, String)]
    ) throws(SystemFailure) {
        // Not for everybody to write: from there bundles are loaded.
        try Files.makeFolder(target, mode: 0o755)
        for entry in try Files.names(in: source) where !Self.isLeftover(entry) {
            let name = Self.replaced(entry, [(Self.placeholder, self.name)])
            if Files.isFolder("\(source)/\(entry)") {
                try copy("\(source)/\(entry)", to: "\(target)/\(name)", below: "\(below)\(name)/", &made, words)
            } else {
                let text = Self.replaced(try Files.readText("\(source)/\(entry)"), words)
                try Files.write(Array(text.utf8), to: "\(target)/\(name)", mode: 0o644)
                made.append(below + name)
            }
        }
    }

    /// Of somebody who built in the SDK's own folder.
    private static func isLeftover(_ name: String) -> Bool {
        [".build", "build", "target", ".taskhost", "__pycache__"].contains(name)
    }

    static func replaced(_ text: String, _ words: [(String, String)]) -> String {
        var made = text[...]
        var whole = ""
        while !made.isEmpty {
            if let (word, other) = words.first(where: { made.hasPrefix($0.0) }) {
                whole += other
                made = made.dropFirst(word.count)
            } else {
                whole.append(made.removeFirst())
            }
        }
        return whole
    }
}
