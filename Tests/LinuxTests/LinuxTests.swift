// Files, variables, commands and conditions.
import Glibc
import Linux
import Testing

@Suite struct LinuxTests {
    /// Removed by the system with the rest of its temporary files.
    private static func folder() throws -> String {
        var name = Array("/tmp/taskhost-linux-XXXXXX".utf8CString)
        try #require(mkdtemp(&name) != nil)
        return String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    @Test("folders are made with those above them, for this user alone, and may be there already")
    func folders() throws {
        let top = try Self.folder()
        for _ in 0..<2 { try Files.makeFolder(top + "/a/b/c", mode: 0o700) }
        #expect(Files.isFolder(top + "/a/b/c") && Files.exists(top + "/a/b/c"))
        var facts = stat()
        #expect(stat(top + "/a/b", &facts) == 0 && facts.st_mode & 0o777 == 0o700)
        #expect(!Files.exists(top + "/a/x") && !Files.isFolder("/etc/passwd"))
        let refused = #expect(throws: SystemFailure.self) { try Files.makeFolder("/proc/no/where", mode: 0o700) }
        #expect(refused?.code == ENOENT && refused?.description == "No such file or directory")
        #expect(throws: SystemFailure.self) { try Files.makeFolder("/etc/passwd/x", mode: 0o700) }
        for path in ["/a/b/c", "/a/b", "/a", ""] { #expect(rmdir(top + path) == 0) }
    }

    @Test("a file is read to its end, whatever size it claims to have; one that cannot be read says why")
    func files() throws {
        #expect(try Files.readText("/proc/self/stat").hasPrefix("\(getpid()) "))
        #expect(try Files.read("/usr/bin/env").count > 20_000)
        #expect(throws: SystemFailure(code: EILSEQ)) { try Files.readText("/usr/bin/env") }
        #expect(throws: SystemFailure(code: ENOENT)) { try Files.read("/no/such") }
        #expect(throws: SystemFailure(code: EISDIR)) { try Files.read("/etc") }
    }

    @Test(
        "what a path is in",
        arguments: [
            ("/a/b", "/a"), ("/a", "/"), ("/", "/"), ("a", "."), ("a/b", "a"), ("/a/b/", "/a"), ("/a//b", "/a"),
        ])
    func parents(path: String, parent: String) { #expect(Files.parent(of: path) == parent) }

    @Test("paths are resolved as far as they lead somewhere")
    func resolved() throws {
        let top = try Self.folder()
        #expect(symlink("/usr", top + "/link") == 0)
        #expect(Files.resolved(top + "/link/bin/env") == Files.resolved("/usr/bin/env"))
        #expect(Files.resolved(top + "/link/none/there") == "/usr/none/there")
        #expect(Files.absolute("x") == Files.currentFolder + "/x" && Files.absolute("/x") == "/x")
        #expect(unlink(top + "/link") == 0 && rmdir(top) == 0)
    }

    @Test("variables have everything behind their first equals sign")
    func environment() {
        setenv("TASKHOST_LINUX_TEST", "a=b=", 1)
        #expect(ThisProcess.environment["TASKHOST_LINUX_TEST"] == "a=b=")
        unsetenv("TASKHOST_LINUX_TEST")
        #expect(ThisProcess.environment["TASKHOST_LINUX_TEST"] == nil)
        #expect(!ThisProcess.hostName.isEmpty)
    }

    @Test("numbers have so many digits, rounded")
    func numbers() {
        #expect(
            1.25.text(decimals: 1) == "1.2" && 9.96.text(decimals: 1) == "10.0" && 0.0.text(decimals: 6) == "0.000000")
        #expect(1e300.text(decimals: 2).count == 304 && (-0.5).text(decimals: 0) == "-0")
    }

    @Test("a command's output, errors and end are told apart, however much it says")
    func commands() throws {
        let said = try Command.run(["sh", "-c", "head -c 300000 /dev/zero; echo no >&2; exit 3"])
        #expect(said.status == 3 && said.output.utf8.count == 300_000 && said.errors == "no\n")
        #expect(try Command.run(["sh", "-c", "kill -9 $$"]).status == 137)
        #expect(try Command.run(["no-such-program"]).status == 127)
        let silent = try Command.run(["cat"])
        #expect(silent.status == 0 && silent.output.isEmpty && silent.errors.isEmpty)
    }

    @Test("who waits for a condition is woken, or told that it is too late")
    func conditions() {
        let condition = Condition()
        #expect(condition.withLock { condition.wait(until: .init(afterSeconds: 0.01)) } == false)
        #expect(condition.withLock { condition.wait(until: .init(afterSeconds: -1)) } == false)
        nonisolated(unsafe) var isDone = false
        let thread = Worker.start {
            condition.withLock {
                isDone = true
                condition.broadcast()
            }
        }
        condition.withLock {
            while !isDone { condition.wait() }
        }
        #expect(isDone)
        pthread_join(thread, nil)
    }
}

private enum Worker {
    private final class Work {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }

    static func start(_ run: @escaping () -> Void) -> pthread_t {
        var thread = pthread_t()
        let work = Unmanaged.passRetained(Work(run))
        let status = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, work.toOpaque())
        precondition(status == 0)
        return thread
    }
}
