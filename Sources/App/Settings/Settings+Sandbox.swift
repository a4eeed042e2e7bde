// `[sandbox]`: what the kernel keeps tasks from.

public struct SandboxKeys: SettingsSection {
    public let debuggable = Key<Bool>(
        "sandbox.debuggable", .flag, environment: ["TASKHOST_SANDBOX_DEBUGGABLE"], default: false,
        "processes of the same user may look into the worker and its tasks (debuggers), and the worker may "
            + "leave a core")
    public let newPrivileges = Key<Bool>(
        "sandbox.new_privileges", .flag, environment: ["TASKHOST_SANDBOX_NEW_PRIVILEGES"], default: false,
        "programs that tasks start may gain rights: `sudo`, `sendmail` of some mail servers")
    public let signals = Key<Bool>(
        "sandbox.signals", .flag, environment: ["TASKHOST_SANDBOX_SIGNALS"], default: false,
        "tasks may send signals to processes that they have not started (never so before Linux 6.12: there "
            + "they may)")
    public let umask = Key<String>(
        "sandbox.umask", .text, environment: ["TASKHOST_SANDBOX_UMASK"], default: "077",
        "of the files that tasks make, octal; `inherit`: the worker's own")
    public let oomScore = Key<Int>(
        "sandbox.oom_score", .integer(0...1000), environment: ["TASKHOST_SANDBOX_OOM_SCORE"], default: 500,
        "oom_score_adj of tasks: when memory is short, the kernel ends them rather than the worker; 0: as the "
            + "worker")
    public let maxFileMiB = Key<Int?>(
        "sandbox.max_file_mib", .integer(0...1_073_741_824), environment: ["TASKHOST_SANDBOX_MAX_FILE_MIB"],
        orNone: nil,
        "longest file a task may write, in MiB (RLIMIT_FSIZE); 0: no limit")
    public let maxProcesses = Key<Int?>(
        "sandbox.max_processes", .integer(0...4_194_304), environment: ["TASKHOST_SANDBOX_MAX_PROCESSES"], orNone: nil,
        "processes and threads of the worker's user, all together, at which a task's next fork fails "
            + "(RLIMIT_NPROC; does not bind root); 0: no limit")
    public let writable = Key<[String]>(
        "sandbox.writable", .texts, environment: ["TASKHOST_SANDBOX_WRITABLE"], default: [], shown: "everywhere",
        "the only folders in which tasks may write (Landlock, from Linux 5.13 on)")
    public let trustPlugins = Key<Bool>(
        "sandbox.trust_plugins", .flag, environment: ["TASKHOST_SANDBOX_TRUST_PLUGINS"], default: false,
        "bundles are loaded without a look at the owners and write permissions of their files and folders")
}
