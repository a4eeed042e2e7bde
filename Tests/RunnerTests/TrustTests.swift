// Whose files are loaded: nobody's but root's and ours, on the whole way to them.
import CLinux
import Glibc
import Loop
import TestKit
import Testing

@testable import Runner

@Suite struct TrustTests {
    private func opened(_ path: String) -> String {
        do throws(TrustedPath.Failure) {
            _ = clinux_close(try TrustedPath.openFile(path))
            return "opened"
        } catch {
            switch error {
            case .system(let code): return "system \(code)"
            case .notFolder: return "no folder"
            case .untrusted(let sentence): return sentence
            }
        }
    }

    private func withFolder(_ body: (String) throws -> Void) throws {
        try TemporaryFolder.with(["outer/plugins/a.so": "a", "elsewhere/e.so": "e"]) { folder in
            chmod(folder, 0o755)
            try body(folder)
        }
    }

    @Test("a file below a parent that others may write to is refused with the fix, and so is one in a group's hands")
    func parents() throws {
        try withFolder { folder in
            let file = folder + "/outer/plugins/a.so"
            #expect(opened(file) == "opened")
            for place in ["/outer", "/outer/plugins", "/outer/plugins/a.so"] {
                let mode: mode_t = place.hasSuffix(".so") ? 0o644 : 0o755
                chmod(folder + place, mode | 0o002)
                #expect(opened(file).contains("chmod o-w '\(folder)\(place)'"), "\(opened(file))")
                chmod(folder + place, mode)
            }
            // /tmp is like that: nobody can put another's folder out of the way there.
            chmod(folder + "/outer", 0o1777)
            #expect(opened(file) == "opened")
            // But into the folder itself anybody could put a file of his own.
            chmod(folder + "/outer/plugins", 0o1777)
            #expect(opened(file).contains("chmod o-w"))
        }
    }

    @Test("an operator who answers for the folder has bundles loaded wherever they come from")
    func trusted() throws {
        try withFolder { folder in
            symlink("../../elsewhere/e.so", folder + "/outer/plugins/out.so")
            chmod(folder + "/outer", 0o777)
            let loop = try EpollLoop()
            for isTrusted in [false, true] {
                var options = RunnerOptions(runnerPath: "unused", pluginFolders: [], slots: 1)
                options.trustsAnybody = isTrusted
                let inspector = try BundleInspector(loop: loop, options: options) { _, _ in }
                switch inspector.bundles(in: folder + "/outer/plugins") {
                case .success(let paths): #expect(isTrusted && paths.count == 2)
                case .failure(let failure):
                    #expect(!isTrusted && failure.description.contains("TASKHOST_SANDBOX_TRUST_PLUGINS=true"))
                }
            }
            for name in ["a.so", "out.so"] {
                let copy = try PrivateCopy(of: "\(folder)/outer/plugins/\(name)", trustsAnybody: true)
                #expect(copy.descriptor >= 0)
                #expect(throws: PrivateCopy.Failure.self) {
                    try PrivateCopy(of: copy.original, trustsAnybody: false)
                }
            }
        }
    }

    @Test("a link to a name beside it is followed, one that leads out of the folder is not")
    func links() throws {
        try withFolder { folder in
            let plugins = folder + "/outer/plugins"
            symlink("a.so", plugins + "/beside.so")
            symlink("beside.so", plugins + "/twice.so")
            symlink("../../elsewhere/e.so", plugins + "/out.so")
            symlink(folder + "/elsewhere/e.so", plugins + "/absolute.so")
            symlink("round.so", plugins + "/round.so")
            #expect(opened(plugins + "/beside.so") == "opened" && opened(plugins + "/twice.so") == "opened")
            for name in ["out.so", "absolute.so"] {
                #expect(opened("\(plugins)/\(name)").contains("leads out of its folder"))
            }
            #expect(opened(plugins + "/round.so") == "system \(ELOOP)")
            #expect(opened(plugins + "/missing.so") == "system \(ENOENT)")
            #expect(opened(plugins + "/a.so/b.so") == "no folder")
        }
    }

    @Test("a folder may be reached by links, through folders that are trusted")
    func linkedFolders() throws {
        try withFolder { folder in
            symlink("outer", folder + "/current")
            symlink(folder + "/current/./plugins", folder + "/elsewhere/link")
            #expect(opened(folder + "/current/plugins/a.so") == "opened")
            #expect(opened(folder + "/elsewhere/../elsewhere/link/a.so") == "opened")
            chmod(folder + "/elsewhere", 0o777)
            #expect(opened(folder + "/elsewhere/link/a.so").contains("chmod o-w '\(folder)/elsewhere'"))
        }
    }

    @Test("what belongs to another user is refused, wherever on the way", .enabled(if: geteuid() == 0))
    func owners() throws {
        try withFolder { folder in
            let file = folder + "/outer/plugins/a.so"
            for place in ["/outer", "/outer/plugins", "/outer/plugins/a.so"] {
                chown(folder + place, 65534, 0)
                #expect(opened(file).contains("\(folder)\(place) belongs to user 65534"), "\(opened(file))")
                chown(folder + place, 0, 0)
            }
            symlink("outer", folder + "/theirs")
            lchown(folder + "/theirs", 65534, 65534)
            #expect(opened(folder + "/theirs/plugins/a.so").contains("is a link of user 65534"))
        }
    }

    @Test("a group may write that has nobody in it but us", .enabled(if: geteuid() == 0))
    func groups() throws {
        try withFolder { folder in
            let file = folder + "/outer/plugins/a.so"
            chmod(file, 0o664)
            #expect(opened(file) == "opened")
            // Of a number that no account and no group has.
            chown(file, 0, 2_000_000_011)
            #expect(opened(file) == "opened")
            // "nobody" has it as its own.
            let nobody = getpwnam("nobody")
            guard let group = nobody?.pointee.pw_gid else { return }
            chown(file, 0, group)
            #expect(opened(file).contains("chmod g-w '\(file)'"), "\(opened(file))")
        }
    }

    @Test("the crash page cannot be cut off by a child")
    func sealed() throws {
        let memory = clinux_memfd("page")
        defer { _ = clinux_close(memory) }
        let page = try #require(CrashPage(memory))
        #expect(ftruncate(memory, 0) != 0 && errno == EPERM)
        #expect(ftruncate(memory, 8192) != 0 && errno == EPERM)
        // With the file at its end, this would be SIGBUS.
        #expect(!page.isFilled)
        page.unmap()
    }
}
