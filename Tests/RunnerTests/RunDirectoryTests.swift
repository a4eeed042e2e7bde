// The folder of private copies: ours as long as we live, whoever starts beside us.

import Foundation
import Testing

@testable import Runner

@Suite("folders of private copies")
struct RunDirectoryTests {
    private let base: String

    init() throws {
        base = NSTemporaryDirectory() + "run-directories-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: base, withIntermediateDirectories: true)
    }

    @Test("hosts that start at the same time leave each other's folder alone")
    func startingTogether() async throws {
        let lost = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask { try startAndStop(times: 300, in: base) }
            }
            return try await group.reduce(0, +)
        }
        #expect(lost == 0)
        try FileManager.default.removeItem(atPath: base)
    }

    @Test("the folder of a host that was killed is cleared away by the next")
    func killed() throws {
        let dead = base + "/taskhost-abcdef"
        try FileManager.default.createDirectory(
            atPath: dead, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        for name in ["lock", "1-sums.so"] {
            #expect(FileManager.default.createFile(atPath: "\(dead)/\(name)", contents: nil))
        }
        let next = try RunDirectory(in: base)
        #expect(!FileManager.default.fileExists(atPath: dead))
        next.remove()
        try FileManager.default.removeItem(atPath: base)
    }
}

/// How often a folder was gone while it was ours.
private func startAndStop(times: Int, in base: String) throws -> Int {
    var lost = 0
    for _ in 0..<times {
        let one = try RunDirectory(in: base)
        if !FileManager.default.createFile(atPath: one.path + "/1-sums.so", contents: nil) { lost += 1 }
        one.remove()
    }
    return lost
}
