// Files and folders by their paths.
public import Glibc

public enum Files {
    public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Also a link to one. False: something else, or nothing.
    public static func isFolder(_ path: String) -> Bool {
        var facts = stat()
        return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
    }

    /// Everything in it. What is in /proc and /sys has no size beforehand, so it is read until it ends.
    public static func read(_ path: String) throws(SystemFailure) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw SystemFailure() }
        defer { close(file) }
        return try read(from: file)
    }

    /// What comes from here on.
    public static func read(from file: Int32) throws(SystemFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = Glibc.read(file, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemFailure() }
            if count == 0 { return bytes }
            bytes += piece[..<count]
        }
    }

    /// - Throws: `EILSEQ` when it is no UTF-8.
    public static func readText(_ path: String) throws(SystemFailure) -> String {
        guard let text = String(validating: try read(path), as: UTF8.self) else { throw SystemFailure(code: EILSEQ) }
        return text
    }

    /// The folder and those above it, as far as they are missing.
    /// - Parameter mode: of those that are made, less the umask.
    public static func makeFolder(_ path: String, mode: mode_t) throws(SystemFailure) {
        if mkdir(path, mode) == 0 || (errno == EEXIST && isFolder(path)) { return }
        let failure = SystemFailure()
        let above = parent(of: path)
        guard failure.code == ENOENT, above != path else { throw failure }
        try makeFolder(above, mode: mode)
        guard mkdir(path, mode) == 0 || (errno == EEXIST && isFolder(path)) else { throw SystemFailure() }
    }

    /// What comes before the last name in a path: "/" of "/", "." of a bare name.
    public static func parent(of path: String) -> String {
        var place = path[...]
        while place.count > 1, place.last == "/" { place = place.dropLast() }
        guard let slash = place.lastIndex(of: "/") else { return "." }
        place = place[..<slash]
        while place.last == "/" { place = place.dropLast() }
        return place.isEmpty ? "/" : String(place)
    }

    /// From the root, without resolving links. An absolute path stays as it is.
    public static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : currentFolder + "/" + path
    }

    /// Without links, as far as the path leads to something; the rest as it is.
    public static func resolved(_ path: String) -> String {
        if let whole = realpath(path, nil) {
            defer { free(whole) }
            return String(cString: whole)
        }
        let above = parent(of: path)
        guard above != path, above != "." else { return path }
        return resolved(above) + path.dropFirst(above.count)
    }

    /// "/" should it be gone.
    public static var currentFolder: String {
        guard let path = getcwd(nil, 0) else { return "/" }
        defer { free(path) }
        return String(cString: path)
    }
}
