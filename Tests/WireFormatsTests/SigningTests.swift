// The serializer `auth`: a signature of a stock Celery is believed, and only that; ours is one that Celery verifies
// (Tests/Journeys/test_formats.py shows the other way).
import CeleryWire
import TaskModel
import TaskhostJSON
import Testing

@testable import WireFormats

@Suite("Signed bodies")
struct SigningTests {
    private let now = noon.microseconds / 1_000_000
    private let key: [UInt8]
    private let certificate: [UInt8]
    private let body: [UInt8]
    private let json: JSON
    private let signerID: String

    init() throws {
        let sample = fixture("signed")
        key = Array(try #require(sample["key"]?.text).utf8)
        certificate = Array(try #require(sample["certificate"]?.text).utf8)
        body = Array(try #require(sample["body"]?.text).utf8)
        json = parsed(Array(try #require(sample["json"]?.text).utf8))
        signerID = try #require(sample["id"]?.text)
    }

    private func signing() throws -> WireFormats {
        WireFormats(
            keyring: try Keyring(
                certificates: [("store/w1.pem", certificate)], key: key, certificate: certificate, now: now))
    }

    private func open(_ body: [UInt8], _ formats: WireFormats, at time: WallTime = noon) throws -> JSON {
        parsed(try formats.json(from: body, .auth, nil, limits: .standard, now: time))
    }

    @Test("what a stock Celery has signed is read")
    func reading() throws { #expect(try open(body, signing()) == json) }

    @Test("what is signed here is read, names the signer as Celery does, and is another text each time")
    func writing() throws {
        let formats = try signing()
        let one = try formats.body(from: json.bytes, .auth, nil)
        #expect(try open(one, formats) == json)
        #expect(try SignedBody(parsing: one).signer == signerID)
        #expect(try formats.body(from: json.bytes, .auth, nil) != one)
    }

    @Test("one changed byte anywhere is noticed")
    func changed() throws {
        let formats = try signing()
        let raw = try #require(Base64.decode(body))
        for index in stride(from: 0, to: raw.count, by: 7) {
            var damaged = raw
            damaged[index] ^= 1
            #expect(throws: WireError.self) { try open(Base64.encodedBytes(damaged), formats) }
        }
    }

    @Test("a signer without a certificate here is not believed, nor is anybody without a keyring")
    func strangers() throws {
        let empty = WireFormats(keyring: try Keyring(certificates: [], now: now))
        #expect(throws: WireError.self) { try open(body, empty) }
        #expect(throws: WireError.self) { try open(body, WireFormats()) }
        #expect(throws: WireError.self) { try empty.body(from: json.bytes, .auth, nil) }
    }

    @Test("a shorter salt does not verify")
    func salt() throws {
        // Fixtures/capture.py made it from the same key and payload.
        let signed = try SignedBody(parsing: body)
        let short = try #require(fixture("signed")["short_salt"]?.text.flatMap { Base64.decode(Array($0.utf8)) })
        let forged = SignedBody.bytes(
            signer: signed.signer, signature: short, type: .json, payload: Array(signed.payload))
        let error = try #require(throws: WireError.self) { try open(forged, signing()) }
        #expect(error.code == .badSignature)
    }

    @Test("a certificate past its time is an error at the start and a refusal later")
    func expired() throws {
        let later = WallTime(microseconds: 7_000_000_000_000_000)
        #expect(throws: WireError.self) { try open(body, signing(), at: later) }
        #expect(throws: KeyringError.self) {
            try Keyring(certificates: [("old.pem", certificate)], now: later.microseconds / 1_000_000)
        }
    }

    @Test("what is no key, no certificate, or not a pair is an error that names it")
    func setUp() throws {
        let junk = Array("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".utf8)
        let error = try #require(throws: KeyringError.self) { try Keyring(certificates: [("a/b.pem", junk)], now: now) }
        #expect(error.description.hasPrefix("a/b.pem"))
        #expect(throws: KeyringError.self) {
            try Keyring(certificates: [], key: junk, certificate: certificate, now: now)
        }
        #expect(throws: KeyringError.self) { try Keyring(certificates: [], key: key, now: now) }
        #expect(throws: KeyringError.self) {
            try Keyring(certificates: [("a", certificate), ("b", certificate)], now: now)
        }
        #expect(throws: KeyringError.self) { try Keyring(certificates: [], digest: "md5", now: now) }
    }

    @Test("pickle under a good signature is still refused")
    func signedPickle() throws {
        let formats = try signing()
        let ring = try Keyring(certificates: [("w", certificate)], key: key, certificate: certificate, now: now)
        let payload: [UInt8] = [0x80, 4, 0x4B, 1, 0x2E]
        let (signature, signer) = try #require(ring.sign(payload))
        let body = SignedBody.bytes(signer: signer, signature: signature, type: .pickle, payload: payload)
        let error = try #require(throws: WireError.self) { try open(body, formats) }
        #expect(error.code == .refusedContentType)
    }
}
