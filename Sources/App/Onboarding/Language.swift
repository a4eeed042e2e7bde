// The languages of new bundles: what each needs on this machine, and what to install when it is missing.
package import Configuration
import Glibc
import Linux
package import Output

package struct Language: Sendable, Equatable {
    /// As `--lang` has it, and the name of its template's folder.
    package var name: String
    /// For people.
    var title: String
    /// Programs that its build needs, and what brings each.
    var tools: [(program: String, fix: String)]

    package static let all = [
        Language("c", "C", [("cc", "apt install gcc"), make]),
        Language("cpp", "C++", [("c++", "apt install g++"), make]),
        Language(
            "swift", "Swift",
            [("swiftc", "install Swift 6.3 or newer as swift.org says, and put its bin folder into PATH"), make]),
        Language("rust", "Rust", [("cargo", "apt install cargo"), ("rustc", "apt install rustc"), make]),
        Language("python", "Python", [("python3", "apt install python3")]),
    ]

    private static let make = (program: "make", fix: "apt install make")

    private init(_ name: String, _ title: String, _ tools: [(program: String, fix: String)]) {
        (self.name, self.title, self.tools) = (name, title, tools)
    }

    /// Words that people say for a language.
    private static let others = [
        "c++": "cpp", "cc": "cpp", "cxx": "cpp", "cplusplus": "cpp", "py": "python", "rs": "rust", "python3": "python",
    ]

    package static func named(_ word: String) throws(CommandFailure) -> Language {
        let lower = word.lowercased()
        if let found = all.first(where: { $0.name == others[lower] ?? lower }) { return found }
        throw CommandFailure(
            .usage, "--lang \(word): no template for that language",
            fix: "one of \(all.map(\.name).joined(separator: ", ")); a bundle in another language exports one C "
                + "function, taskhost_bundle_v1: see taskhost.h")
    }

    /// - Throws: what its build needs is not there.
    package func requireTools(path: String, _ installation: Installation) throws(CommandFailure) {
        for tool in tools where !Self.isThere(tool.program, path: path) {
            throw .configuration("bundles in \(title) need \(tool.program), which is not in PATH", fix: tool.fix)
        }
        if name == "rust" { try requireToolchain() }
        if name == "python" { try requireCelery(installation) }
    }

    /// rustup's cargo is there before a toolchain is.
    private func requireToolchain() throws(CommandFailure) {
        let outcome: Command.Outcome
        do throws(SystemFailure) {
            outcome = try Command.run(["cargo", "--version"])
        } catch {
            throw CommandFailure(.failure, "cargo cannot be started: \(error)")
        }
        guard outcome.status != 0 else { return }
        let said = outcome.errors.split(separator: "\n").first.map(String.init) ?? "status \(outcome.status)"
        throw .configuration(
            "cargo is in PATH and does not work: \(said)",
            fix: "rustup default stable; or apt install cargo, and put /usr/bin before rustup's folder in PATH")
    }

    /// Of the interpreter that `-A` will take: that of the active virtual environment, else python3.
    private func requireCelery(_ installation: Installation) throws(CommandFailure) {
        let outcome: Command.Outcome
        do throws(SystemFailure) {
            outcome = try Command.run(["python3", "-B", "-c", Self.question, installation.pythonPackage])
        } catch {
            throw CommandFailure(.failure, "python3 cannot be started: \(error)")
        }
        guard outcome.status == 0 else {
            throw CommandFailure(.failure, "python3 does not work: \(outcome.errors)")
        }
        let lines = outcome.output.split(separator: "\n").map(String.init)
        guard lines.count >= 2 else { return }
        throw .configuration(lines[0], fix: lines[1...].joined(separator: " "))
    }

    private static let question =
        "import sys; sys.path[0] = sys.argv.pop(1); from taskhost_celery import interpreter; interpreter.newcomer()"

    private static func isThere(_ program: String, path: String) -> Bool {
        path.split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
    }

    package static func == (one: Language, other: Language) -> Bool { one.name == other.name }
}
