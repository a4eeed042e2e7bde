// The zygote's crash text ("ADDRESS OFFSET MODULE-PATH" per frame), as a stack a person can read.

internal import Glibc

enum DeathReport {
    private struct Frame {
        var address: String
        var offset: UInt64?
        var module: String
    }

    /// One line per frame, innermost first: `#0 bundle.so: crash() + 12`. Ends with the bundle's outermost frame: who
    /// called it is the same for every task.
    static func lines(crashText: [UInt8], symbols: SymbolSource) -> [String] {
        var frames = crashText.split(separator: UInt8(ascii: "\n")).compactMap(frame)
        if let last = frames.lastIndex(where: { $0.module == PrivateCopy.pathInZygote }) {
            frames.removeSubrange((last + 1)...)
        }
        var found: [String: [UInt64: ElfSymbols.Match]] = [:]
        for (module, group) in Dictionary(grouping: frames, by: \.module) where !module.isEmpty {
            found[module] = symbols.functions(at: group.compactMap(\.offset), in: module)
        }
        return frames.enumerated().map { index, frame in
            let place = frame.module.isEmpty ? "?" : String(symbols.shortName(of: frame.module))
            guard let offset = frame.offset else { return "#\(index) \(place): \(frame.address)" }
            guard let match = found[frame.module]?[offset] else {
                return "#\(index) \(place): 0x\(String(offset, radix: 16))"
            }
            return "#\(index) \(place): \(demangled(match.name)) + \(match.offset)"
        }
    }

    private static func frame(_ line: ArraySlice<UInt8>) -> Frame? {
        let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard let first = words.first else { return nil }
        return Frame(
            address: String(decoding: first, as: UTF8.self), offset: words.count > 1 ? number(words[1]) : nil,
            module: words.count > 2 ? String(decoding: words[2], as: UTF8.self) : "")
    }

    /// Hexadecimal, with or without 0x.
    private static func number(_ text: ArraySlice<UInt8>) -> UInt64? {
        let text = String(decoding: text, as: UTF8.self)
        return UInt64(text.hasPrefix("0x") ? String(text.dropFirst(2)) : text, radix: 16)
    }

    private static func demangled(_ name: String) -> String {
        guard name.hasPrefix("$s") || name.hasPrefix("$S") else { return name }
        return name.withCString { mangled in
            guard let text = swiftDemangle(mangled, strlen(mangled), nil, nil, 0) else { return name }
            defer { free(text) }
            return String(cString: text)
        }
    }
}

/// The runtime's own; it has no Swift declaration.
@_silgen_name("swift_demangle")
private func swiftDemangle(
    _ name: UnsafePointer<CChar>, _ length: Int, _ buffer: UnsafeMutablePointer<CChar>?,
    _ bufferSize: UnsafeMutablePointer<Int>?, _ flags: UInt32
) -> UnsafeMutablePointer<CChar>?
