// Limits kept by several hosts together: each adapter of the port `SharedLimits` passes them.
import Foundation
import Loop
import Ports
import TaskModel
import TestKit
import Testing
import Transports

struct LimitsKind: Sendable, CustomTestStringConvertible {
    let system: any LimitTransport.Type

    static let allCases = Transports.limits.map { LimitsKind(system: $0) }
    var testDescription: String { system.name }
}

/// Two hosts, as far as the store can tell.
private final class LimitsUnderTest {
    private let loop: EpollLoop
    private let folder: TemporaryFolder
    private let hosts: [any SharedLimits]
    let name = "limit-\(UUID().uuidString)"

    init(_ kind: LimitsKind) throws {
        let loop = try EpollLoop()
        let folder = try TemporaryFolder()
        self.loop = loop
        self.folder = folder
        let log: (LogLevel, String) -> Void = { print($0, $1) }
        hosts = try [0, 1].map { _ in
            try Servers.open(kind.system, named: "limits", in: folder, on: loop).limits(keyPrefix: nil, log: log)
        }
    }

    func claim(_ holder: String, perSecond: Double? = nil, max: Int? = nil, key: String = "") -> PermitRequest {
        PermitRequest(name: name + key, holder: holder, perSecond: perSecond, max: max)
    }

    func acquire(_ claim: PermitRequest, by host: Int, lease: Double = 30) throws -> LimitAnswer {
        var answer: Result<LimitAnswer, StoreFailure>?
        hosts[host].acquire(claim, leaseSeconds: lease) { [loop] in
            answer = $0
            loop.stop()
        }
        loop.run()
        return try #require(answer).get()
    }

    /// Asks until it is granted; the number of questions that were answered otherwise.
    func wait(for claim: PermitRequest, by host: Int, asking: () throws -> Void = {}) throws -> Int {
        let deadline = ContinuousClock.now + .seconds(20)
        for count in 0... {
            if try acquire(claim, by: host) == .granted { return count }
            try #require(ContinuousClock.now < deadline, "never granted")
            try asking()
        }
        return 0
    }

    func renew(_ claim: PermitRequest, by host: Int) {
        hosts[host].renew([claim], leaseSeconds: 30) { [loop] failure in
            #expect(failure == nil)
            loop.stop()
        }
        loop.run()
    }

    func release(_ claim: PermitRequest, by host: Int) { hosts[host].release(claim) }

    func close() {
        for host in hosts {
            var isClosed = false
            host.close { isClosed = true }
            loop.run(until: { isClosed }, timeoutSeconds: 15)
        }
    }
}

@Suite("Limits shared by hosts", .serialized)
struct SharedLimitTests {
    @Test("places are given once, to the same claim again, and anew when released", arguments: LimitsKind.allCases)
    func places(kind: LimitsKind) throws {
        let limits = try LimitsUnderTest(kind)
        #expect(try limits.acquire(limits.claim("a", max: 2), by: 0) == .granted)
        #expect(try limits.acquire(limits.claim("a", max: 2), by: 0) == .granted)
        #expect(try limits.acquire(limits.claim("b", max: 2), by: 1) == .granted)
        #expect(try limits.acquire(limits.claim("c", max: 2), by: 1) == .full)
        #expect(try limits.acquire(limits.claim("d", max: 2, key: "other"), by: 1) == .granted)
        limits.release(limits.claim("b", max: 2), by: 1)
        #expect(try limits.acquire(limits.claim("c", max: 2), by: 1) == .granted)
        limits.close()
    }

    @Test("a place that is not renewed comes back, one that is does not", arguments: LimitsKind.allCases)
    func leases(kind: LimitsKind) throws {
        let limits = try LimitsUnderTest(kind)
        #expect(try limits.acquire(limits.claim("dead", max: 2), by: 0, lease: 0.3) == .granted)
        #expect(try limits.acquire(limits.claim("alive", max: 2), by: 0, lease: 0.3) == .granted)
        limits.renew(limits.claim("alive", max: 2), by: 0)
        #expect(try limits.wait(for: limits.claim("next", max: 2), by: 1) > 0)
        #expect(try limits.acquire(limits.claim("late", max: 2), by: 1) == .full)
        limits.close()
    }

    @Test("a place that is asked for again is lent anew", arguments: LimitsKind.allCases)
    func again(kind: LimitsKind) throws {
        let limits = try LimitsUnderTest(kind)
        #expect(try limits.acquire(limits.claim("short", max: 2), by: 0, lease: 0.3) == .granted)
        #expect(try limits.acquire(limits.claim("anew", max: 2), by: 0, lease: 0.3) == .granted)
        #expect(try limits.acquire(limits.claim("anew", max: 2), by: 0, lease: 30) == .granted)
        #expect(try limits.wait(for: limits.claim("next", max: 2), by: 1) > 0)
        #expect(try limits.acquire(limits.claim("late", max: 2), by: 1) == .full)
        limits.close()
    }

    @Test("who has waited long has its turn before who asks anew at once", arguments: LimitsKind.allCases)
    func turns(kind: LimitsKind) throws {
        let limits = try LimitsUnderTest(kind)
        var busy = 0
        func holder() -> PermitRequest { limits.claim("busy-\(busy)", max: 1) }
        #expect(try limits.acquire(holder(), by: 0) == .granted)
        _ = try limits.wait(for: limits.claim("patient", max: 1), by: 1) {
            // The other host works off its own tasks without a pause.
            limits.release(holder(), by: 0)
            busy += 1
            _ = try limits.acquire(holder(), by: 0)
        }
        #expect(try limits.acquire(holder(), by: 0) == .full)
        limits.close()
    }

    @Test("who has given up waiting keeps nobody out", arguments: LimitsKind.allCases)
    func gaveUp(kind: LimitsKind) throws {
        let limits = try LimitsUnderTest(kind)
        #expect(try limits.acquire(limits.claim("first", max: 1), by: 0) == .granted)
        #expect(try limits.acquire(limits.claim("gone", max: 1), by: 1) == .full)
        #expect(try limits.acquire(limits.claim("dead", max: 1), by: 1) == .full)
        limits.release(limits.claim("gone", max: 1), by: 1)
        limits.release(limits.claim("first", max: 1), by: 0)
        // Before "dead" has waited long, or after it is forgotten.
        _ = try limits.wait(for: limits.claim("last", max: 1), by: 0)
        limits.close()
    }

    @Test("starts of both hosts are counted against one rate", arguments: LimitsKind.allCases)
    func rate(kind: LimitsKind) throws {
        let limits = try LimitsUnderTest(kind)
        #expect(try limits.acquire(limits.claim("a", perSecond: 0.5), by: 0) == .granted)
        guard case .due(let seconds) = try limits.acquire(limits.claim("b", perSecond: 0.5), by: 1) else {
            Issue.record("granted at once")
            return
        }
        #expect(seconds > 0 && seconds <= 2)
        #expect(try limits.acquire(limits.claim("c", perSecond: 0.5, key: "other"), by: 1) == .granted)
        // A rate that was raised is not kept waiting by the old one.
        #expect(try limits.wait(for: limits.claim("b", perSecond: 1000), by: 1) < 100)
        limits.close()
    }
}
