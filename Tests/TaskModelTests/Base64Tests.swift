// Base64 at every length, and what is none.
import TaskModel
import Testing

@Suite("Base64")
struct Base64Tests {
    @Test("it is written as RFC 4648 has it")
    func known() {
        let known = ["": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "fooba": "Zm9vYmE="]
        for (text, encoded) in known {
            #expect(Base64.encode(Array(text.utf8)) == encoded)
            #expect(Base64.encodedBytes(Array(text.utf8)) == Array(encoded.utf8))
            #expect(Base64.decode(encoded) == Array(text.utf8))
        }
        #expect(Base64.encode([0xFB, 0xEF, 0xFF]) == "++//")
    }

    @Test("every byte at every place comes back, at every length")
    func roundTrip() {
        for length in 0..<300 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ length) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            #expect(Base64.decode(Base64.encodedBytes(bytes)) == bytes)
        }
    }

    @Test("what is none is not read: single digits, wrong padding, digits behind it, other characters")
    func refused() {
        for text in ["A", "AA", "AAA", "AA=", "A===", "AA==A", "====", "A*==", "AAAA=", "AAAA====", "é"] {
            #expect(Base64.decode(text) == nil, "\(text)")
        }
    }

    @Test("white space may stand between the digits; anything else where that is asked for, as in Python")
    func filler() {
        #expect(Base64.decode(" Zm9v\r\nYmFy\t") == Array("foobar".utf8))
        #expect(Base64.decode("Zm9v-YmFy") == nil)
        #expect(Base64.decode("Zm9v-\u{0}YmFy", filler: .anything) == Array("foobar".utf8))
        #expect(Base64.decode("A", filler: .anything) == nil)
    }
}
