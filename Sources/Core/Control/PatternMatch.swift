// Regular expressions from strangers, matched by PCRE2 within bounds: none can keep a worker busy.
import CPCRE2

/// A pattern in the syntax of Python's `re`, for texts of a few hundred characters.
///
/// Compiled for each use: remote control is no hot path, and nothing that others send is kept.
struct PatternMatch {
    /// What a pattern may cost. The defaults are far above what names need and end within milliseconds.
    struct Limits {
        /// Bytes of the pattern.
        var length = 512
        /// Groups within each other.
        var nesting: UInt32 = 64
        /// Places tried, in all.
        var steps: UInt32 = 100_000
        /// Places to come back to, at a time.
        var depth: UInt32 = 5_000
        /// Memory of a match, KiB.
        var heap: UInt32 = 4_096
    }

    /// Why a pattern was not used: the rest of a sentence that begins with it.
    struct Refusal: Error, Equatable {
        var reason: String
    }

    private let pattern: String
    private let limits: Limits

    /// - Throws: it is too long, or has what Python's `re` does not know.
    init(_ pattern: String, limits: Limits = Limits()) throws(Refusal) {
        guard pattern.utf8.count <= limits.length else {
            throw Refusal(reason: "has more than \(limits.length) bytes")
        }
        self.pattern = try PythonPattern(pattern).translated()
        self.limits = limits
    }

    /// As Python's `re.match`: from the beginning, not necessarily to the end.
    /// - Throws: it is no expression, or a limit was met before the answer was known.
    func matchesStart(of text: String) throws(Refusal) -> Bool {
        let compiling = pcre2_compile_context_create_8(nil)
        defer { pcre2_compile_context_free_8(compiling) }
        pcre2_set_parens_nest_limit_8(compiling, limits.nesting)
        pcre2_set_newline_8(compiling, UInt32(PCRE2_NEWLINE_LF))
        let options = PCRE2_UTF | PCRE2_UCP | PCRE2_ANCHORED | PCRE2_NEVER_BACKSLASH_C
        var (error, offset): (Int32, Int) = (0, 0)
        let bytes = Array(pattern.utf8)
        guard let compiling, let code = pcre2_compile_8(bytes, bytes.count, options, &error, &offset, compiling) else {
            throw Refusal(reason: "is no expression: \(Self.text(error))")
        }
        defer { pcre2_code_free_8(code) }
        return try match(code, Array(text.utf8))
    }

    private func match(_ code: OpaquePointer, _ text: [UInt8]) throws(Refusal) -> Bool {
        let matching = pcre2_match_context_create_8(nil)
        defer { pcre2_match_context_free_8(matching) }
        let found = pcre2_match_data_create_8(1, nil)
        defer { pcre2_match_data_free_8(found) }
        guard let matching, let found else { throw Refusal(reason: "was not tried: no memory") }
        pcre2_set_match_limit_8(matching, limits.steps)
        pcre2_set_depth_limit_8(matching, limits.depth)
        pcre2_set_heap_limit_8(matching, limits.heap)
        switch pcre2_match_8(code, text, text.count, 0, 0, found, matching) {
        case 0...: return true
        case PCRE2_ERROR_NOMATCH: return false
        case PCRE2_ERROR_MATCHLIMIT: throw Refusal(reason: "takes more than \(limits.steps) steps")
        case PCRE2_ERROR_DEPTHLIMIT: throw Refusal(reason: "goes deeper than \(limits.depth) places to come back to")
        case PCRE2_ERROR_HEAPLIMIT: throw Refusal(reason: "takes more than \(limits.heap) KiB")
        case let error: throw Refusal(reason: "failed: \(Self.text(error))")
        }
    }

    private static func text(_ error: Int32) -> String {
        var text = [UInt8](repeating: 0, count: 256)
        let count = pcre2_get_error_message_8(error, &text, text.count)
        return count > 0 ? String(decoding: text.prefix(Int(count)), as: UTF8.self) : "error \(error)"
    }
}
