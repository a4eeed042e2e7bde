// Whole files, read and written by the system's own calls. Archivos enteros.
import Glibc
import TaskhostSDK

enum Files {
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Throws what Python calls FileNotFoundError, and OSError for the rest.
    static func read(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "rbe") else {
            throw TaskError(type: errno == ENOENT ? "FileNotFoundError" : "OSError", "\(path): \(problem())")
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&part, 1, part.count, file), count > 0 { bytes += part[..<count] }
        return bytes
    }

    static func lines(_ path: String) throws -> [String] {
        String(decoding: try read(path), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// All of it or nothing: whoever finds the file finds it whole. Todo o nada.
    /// - Parameter aside: where several may write the same file at a time, a name of the writer's own: a task's id.
    static func write(_ bytes: [UInt8], to path: String, aside: String = "new") throws {
        let new = "\(path).\(aside)"
        guard let file = fopen(new, "wbe") else { throw TaskError(type: "OSError", "\(new): \(problem())") }
        let written = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, written == bytes.count else {
            throw TaskError(type: "OSError", "\(new): \(problem())")
        }
        try move(new, to: path)
    }

    /// At the end, in one piece. Al final, de una vez.
    static func append(_ bytes: [UInt8], to path: String) throws {
        guard let file = fopen(path, "abe") else { throw TaskError(type: "OSError", "\(path): \(problem())") }
        let written = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, written == bytes.count else {
            throw TaskError(type: "OSError", "\(path): \(problem())")
        }
    }

    /// One that is there already will do. Si ya existe, sirve.
    static func makeFolder(_ path: String) throws {
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
            throw TaskError(type: "OSError", "\(path): \(problem())")
        }
    }

    static func move(_ path: String, to place: String) throws {
        guard rename(path, place) == 0 else { throw TaskError(type: "OSError", "\(place): \(problem())") }
    }

    private static func problem() -> String { String(cString: strerror(errno)) }
}
