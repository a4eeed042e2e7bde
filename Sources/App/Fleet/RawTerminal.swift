// The terminal as `top` uses it: keys at once, a screen of its own, everything as before at the end.
import Glibc
import Output

package final class RawTerminal {
    private var before = termios()
    private var isRestored = false

    /// nil: standard input or output is no terminal.
    package init?() {
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1, tcgetattr(STDIN_FILENO, &before) == 0 else {
            return nil
        }
        var raw = before
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        tcsetattr(STDIN_FILENO, TCSANOW, &raw)
        Console.write("\u{1B}[?1049h\u{1B}[?25l\u{1B}[2J", to: STDOUT_FILENO)
    }

    /// Nothing is drawn any more.
    package func restore() {
        guard !isRestored else { return }
        isRestored = true
        Console.write("\u{1B}[?25h\u{1B}[?1049l", to: STDOUT_FILENO)
        tcsetattr(STDIN_FILENO, TCSANOW, &before)
    }

    var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    func draw(_ lines: [TopScreen.Line]) {
        guard !isRestored else { return }
        let rows = lines.map { line in
            (line.isSelected ? "\u{1B}[7m\(line.text)\u{1B}[0m" : line.text) + "\u{1B}[K"
        }
        Console.write("\u{1B}[H" + rows.joined(separator: "\r\n") + "\u{1B}[J", to: STDOUT_FILENO)
    }

    /// What was typed since; nil: the terminal is gone.
    func keys() -> [TopModel.Key]? {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(STDIN_FILENO, &bytes, bytes.count)
        guard count > 0 else { return count < 0 && (errno == EINTR || errno == EAGAIN) ? [] : nil }
        return Self.keys(bytes.prefix(count))
    }

    /// Arrows come as `ESC [ A` or `ESC O A`; ^C and ^D mean `q`.
    static func keys(_ bytes: ArraySlice<UInt8>) -> [TopModel.Key] {
        var keys: [TopModel.Key] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            if byte == 0x1B, let second = rest.first, second == 0x5B || second == 0x4F {
                rest = rest.dropFirst()
                switch rest.popFirst() {
                case 0x41: keys.append(.up)
                case 0x42: keys.append(.down)
                default: break
                }
            } else {
                keys.append(.letter(byte == 3 || byte == 4 ? "q" : Character(Unicode.Scalar(byte))))
            }
        }
        return keys
    }
}
