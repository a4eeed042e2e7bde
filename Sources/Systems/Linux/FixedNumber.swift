// Numbers with a fixed number of digits.
import Glibc

extension Double {
    /// "12.30" of 12.3 and 2; rounded as C's `printf` does.
    public func text(decimals: Int) -> String {
        var text = [CChar](repeating: 0, count: 400)
        let length = withVaList([Int32(decimals), self]) { vsnprintf(&text, text.count, "%.*f", $0) }
        return String(decoding: text.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
