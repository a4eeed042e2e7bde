// Function names out of an ELF file (64 bit, this machine's byte order). Every offset is checked: the file may lie.

/// Reads `.symtab`, or `.dynsym` where that was stripped.
struct ElfSymbols {
    struct Match: Equatable {
        /// As in the file, mangled.
        var name: String
        /// Bytes from the function's start.
        var offset: UInt64
    }

    private struct Section {
        var type: UInt32
        var offset: UInt64
        var size: UInt64
        var link: UInt32
    }

    private let file: UnsafeRawBufferPointer

    private static let symbolTable: UInt32 = 2
    private static let dynamicSymbols: UInt32 = 11
    private static let symbolSize = 24
    private static let functionType: UInt8 = 2

    init(_ file: UnsafeRawBufferPointer) {
        self.file = file
    }

    /// The function each offset (from the module's load address) lies in.
    func functions(at offsets: [UInt64]) -> [UInt64: Match] {
        let sections = sections()
        for type in [Self.symbolTable, Self.dynamicSymbols] {
            guard let table = sections.first(where: { $0.type == type }), Int(table.link) < sections.count else {
                continue
            }
            let matches = search(table, names: sections[Int(table.link)], offsets)
            if !matches.isEmpty { return matches }
        }
        return [:]
    }

    private func search(_ table: Section, names: Section, _ offsets: [UInt64]) -> [UInt64: Match] {
        var matches: [UInt64: Match] = [:]
        let count = min(table.size, UInt64(file.count)) / UInt64(Self.symbolSize)
        for index in 0..<count {
            let (at, overflow) = table.offset.addingReportingOverflow(index * UInt64(Self.symbolSize))
            guard !overflow, let nameOffset = load(at, as: UInt32.self), let info = load(at &+ 4, as: UInt8.self),
                let value = load(at &+ 8, as: UInt64.self), let size = load(at &+ 16, as: UInt64.self)
            else { return matches }
            guard info & 0xf == Self.functionType, value != 0 else { continue }
            for offset in offsets where offset >= value && offset - value < max(size, 1) {
                if let name = text(names, nameOffset) { matches[offset] = Match(name: name, offset: offset - value) }
            }
        }
        return matches
    }

    private func sections() -> [Section] {
        let magic: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2]
        guard file.count > 64, file.prefix(magic.count).elementsEqual(magic),
            let table = load(40, as: UInt64.self), let entry = load(58, as: UInt16.self),
            let count = load(60, as: UInt16.self), entry >= 64
        else { return [] }
        var sections: [Section] = []
        for index in 0..<UInt64(count) {
            let (at, overflow) = table.addingReportingOverflow(index * UInt64(entry))
            guard !overflow, let type = load(at &+ 4, as: UInt32.self), let offset = load(at &+ 24, as: UInt64.self),
                let size = load(at &+ 32, as: UInt64.self), let link = load(at &+ 40, as: UInt32.self)
            else { return sections }
            sections.append(Section(type: type, offset: offset, size: size, link: link))
        }
        return sections
    }

    private func text(_ names: Section, _ offset: UInt32) -> String? {
        let start = names.offset &+ UInt64(offset)
        guard start < file.count, UInt64(offset) < names.size else { return nil }
        let bytes = file[Int(start)...].prefix(4096).prefix { $0 != 0 }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    private func load<Value: BitwiseCopyable>(_ offset: UInt64, as type: Value.Type) -> Value? {
        guard offset <= UInt64(file.count), UInt64(file.count) - offset >= UInt64(MemoryLayout<Value>.size) else {
            return nil
        }
        return file.loadUnaligned(fromByteOffset: Int(offset), as: type)
    }
}
