// Results as a stock Celery stores them, and ours as it reads them.
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON
import Testing

@testable import WireFormats

@Suite("Result formats")
struct ResultFormatTests {
    /// Fixtures/capture.py: a backend's `encode`.
    struct Stored: Sendable, CustomTestStringConvertible {
        var type: ContentType
        var compression: Compression?
        var document: [UInt8]
        var json: JSON

        var testDescription: String { "\(type.name), \(compression?.rawValue ?? "as it is")" }

        static let all: [Stored] = (fixture("results").elements ?? []).compactMap { entry in
            guard let type = entry["serializer"]?.text.flatMap(ContentType.named), let json = entry["json"]?.text,
                let document = entry["document"]?.text.flatMap({ Base64.decode(Array($0.utf8)) })
            else { return nil }
            let compression = entry["compression"]?.text.flatMap(Compression.named)
            return Stored(type: type, compression: compression, document: document, json: parsed(Array(json.utf8)))
        }
    }

    @Test("the fixtures are there") func complete() { #expect(Stored.all.count == 18) }

    @Test("what a stock backend has stored is read, whatever our own compression is", arguments: Stored.all)
    func reading(_ stored: Stored) throws {
        for own in [nil, Compression.zstd] {
            #expect(parsed(try ResultFormat(stored.type, compression: own).decode(stored.document)) == stored.json)
        }
    }

    @Test("what is stored here begins as a stock backend's, and reads back", arguments: Stored.all)
    func writing(_ stored: Stored) throws {
        let format = ResultFormat(stored.type, compression: stored.compression)
        let document = try format.encode(stored.json.bytes)
        #expect(parsed(try format.decode(document)) == stored.json)
        guard let compression = stored.compression else { return }
        let head = Array("\0celery-compressed\0\(compression.mimeType)\0".utf8)
        #expect(document.starts(with: head) && stored.document.starts(with: head))
    }

    @Test("results stored as JSON before the serializer was changed are still read")
    func change() throws {
        let meta = Array(#"{"status":"SUCCESS","result":1}"#.utf8)
        #expect(try ResultFormat(.msgpack).decode(meta) == meta)
        #expect(try ResultFormat(.yaml).decode(meta) == meta)
    }

    @Test("a damaged or unknown document is a permanent failure")
    func damaged() throws {
        for text in ["\0celery-compressed\0application/x-rar\0abc", "\0celery-compressed\0", "\0", "\u{1}"] {
            let failure = try #require(throws: StoreFailure.self) { try ResultFormat(.yaml).decode(Array(text.utf8)) }
            #expect(failure.isPermanent)
        }
    }
}
