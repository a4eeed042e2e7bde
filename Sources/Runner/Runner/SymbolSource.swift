// Where the names of a crash report's functions come from.

internal import CLinux
internal import Glibc

/// Opens the modules a crash text names: the bundle's own copy, which has no name, and system libraries.
final class SymbolSource {
    private let copy: PrivateCopy

    init(_ copy: PrivateCopy) {
        self.copy = copy
    }

    /// What people call this module.
    func shortName(of module: String) -> Substring {
        let path = module == PrivateCopy.pathInZygote ? copy.original : module
        return path.split(separator: "/").last ?? Substring(path)
    }

    /// The functions at these offsets; offsets without one are missing.
    func functions(at offsets: [UInt64], in module: String) -> [UInt64: ElfSymbols.Match] {
        if module == PrivateCopy.pathInZygote { return read(copy.descriptor, offsets) }
        let descriptor = open(module, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [:] }
        defer { _ = clinux_close(descriptor) }
        return read(descriptor, offsets)
    }

    private func read(_ descriptor: Int32, _ offsets: [UInt64]) -> [UInt64: ElfSymbols.Match] {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_size > 0,
            let memory = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0),
            memory != UnsafeMutableRawPointer(bitPattern: -1)
        else { return [:] }
        defer { munmap(memory, Int(status.st_size)) }
        let file = UnsafeRawBufferPointer(start: memory, count: Int(status.st_size))
        return ElfSymbols(file).functions(at: offsets)
    }
}
