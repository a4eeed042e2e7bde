// Which Python, and whether this program could load it.
import Glibc
import Linux
package import Output

package enum Interpreter {
    /// The one that is named, else that of the active virtual environment, else python3.
    package static func find(
        named: String?, environment: [String: String]
    ) throws(CommandFailure) -> String {
        if let named {
            guard let found = program(named, environment) else {
                throw .noApp(
                    "there is no Python \(named)", fix: "name the interpreter with --python, say .venv/bin/python")
            }
            return found
        }
        if let active = environment["VIRTUAL_ENV"], !active.isEmpty {
            let path = active + "/bin/python"
            guard access(path, X_OK) == 0 else {
                throw .noApp(
                    "VIRTUAL_ENV names \(active), and there is no \(path)",
                    fix: "make the environment anew, unset VIRTUAL_ENV, or name an interpreter with --python")
            }
            return path
        }
        guard let found = program("python3", environment) else {
            throw .noApp(
                "no Python was found: there is no python3 in PATH, and no virtual environment is active",
                fix: "apt install python3, or name an interpreter with --python")
        }
        return found
    }

    private static func program(_ word: String, _ environment: [String: String]) -> String? {
        guard !word.contains("/") else { return access(word, X_OK) == 0 ? Files.absolute(word) : nil }
        let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        return folders.map { "\($0)/\(word)" }.first { access($0, X_OK) == 0 && !Files.isFolder($0) }
    }

    /// - Throws: the library is of another machine than this program.
    static func check(library: String) throws(CommandFailure) {
        guard let ours = machine("/proc/self/exe"), let theirs = machine(library), ours != theirs else { return }
        throw .noApp(
            "\(library) is for another architecture (ELF class and machine \(theirs)) than taskhost (\(ours))",
            fix: "name a Python of this architecture with --python")
    }

    /// Class (1: 32 bit, 2: 64 bit) and machine of an ELF file; nil: it is none, or cannot be read.
    private static func machine(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var head = [UInt8](repeating: 0, count: 20)
        guard read(file, &head, head.count) == head.count, head.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else {
            return nil
        }
        return "\(head[4])/\(Int(head[18]) | Int(head[19]) << 8)"
    }
}
