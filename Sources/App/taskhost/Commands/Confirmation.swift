import Glibc
import Output
import Settings

/// Asks before what cannot be undone.
enum Confirmation {
    /// - Throws: `CommandFailure` when the answer is no, or there is no terminal.
    static func ask(_ question: String, force: Bool) throws(CommandFailure) {
        if force { return }
        guard isatty(STDIN_FILENO) == 1 else {
            throw CommandFailure(.usage, "\(question) There is no terminal to ask", fix: "say --force")
        }
        Console.write("\(question) [y/N] ", to: STDERR_FILENO)
        guard let answer = readLine()?.trimmed.lowercased(), answer == "y" || answer == "yes" else {
            throw CommandFailure(.failure, "left as it is")
        }
    }
}
