// The arguments of this process, also when another program loaded us.
import CLinux
import Glibc
import Output
import TaskModel

enum GivenArguments {
    /// All but the program's name. Passwords are overwritten where the kernel keeps them, so that the list of
    /// processes, which every user of the machine can read, does not show them any longer.
    /// - Throws: they cannot be read. A start as a worker with defaults is not what anybody asked for then.
    static func take() throws(CommandFailure) -> [String] {
        let count = Int(clinux_argument_count())
        guard count == 0 else {
            let pointers = (1..<max(1, count)).compactMap { clinux_argument(Int32($0)) }
            let words = pointers.map { String(cString: $0) }
            for (pointer, word) in zip(pointers, words) { hideSecrets(of: word, at: pointer) }
            return words
        }
        guard let words = parse(kernelsCopy()) else {
            throw CommandFailure(
                .failure, "the arguments cannot be read, neither from the C library nor from /proc/self/cmdline",
                fix: "mount /proc, or start taskhost without preloaded libraries (LD_PRELOAD)")
        }
        return words
    }

    /// Of `/proc/self/cmdline`, all but the program's name. nil: not even that is there.
    static func parse(_ bytes: [UInt8]) -> [String]? {
        guard bytes.last == 0 else { return nil }
        return bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false).dropFirst().map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    private static func kernelsCopy() -> [UInt8] {
        let file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = read(file, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return bytes }
            bytes += piece.prefix(count)
        }
    }

    private static func hideSecrets(of word: String, at pointer: UnsafeMutablePointer<CChar>) {
        for range in ConnectionURL.secretRanges(in: word) {
            let start = word.utf8.distance(from: word.startIndex, to: range.lowerBound)
            let length = word.utf8.distance(from: range.lowerBound, to: range.upperBound)
            // Bytes that are no UTF-8 would be counted otherwise: such a word stays as it is.
            guard start + length <= strlen(pointer), word.utf8.count == strlen(pointer) else { return }
            memset(pointer + start, Int32(UInt8(ascii: "*")), length)
        }
    }
}
