// The worker holds the secrets: what keeps its own tasks, who run as the same user, from looking for them.
import CLinux
package import Logging
package import Runner

package enum SelfProtection {
    /// Before anything secret is read from a server, and before there are children.
    package static func begin(_ sandbox: Confinement, log: Logger) {
        if !sandbox.isDebuggable {
            let result = clinux_set_dumpable(false)
            if result < 0 { log.warning("this process can be looked into by its tasks (PR_SET_DUMPABLE: \(-result))") }
        }
        if let gap = gap(sandbox) { log.info("\(gap)", metadata: ["event": "sandbox"]) }
    }

    /// What this kernel cannot do of what is wanted.
    package static func gap(_ sandbox: Confinement, landlock: Int32 = clinux_landlock_version()) -> String? {
        guard !sandbox.allowsSignals, landlock < Confinement.landlockOfSignals else { return nil }
        let needed = Confinement.landlockOfSignals
        let has = landlock == 0 ? "has no Landlock" : "has Landlock \(landlock), and \(needed) is needed"
        return "sandbox: tasks can send signals to this worker and to each other: this kernel \(has) (Linux 6.12)"
    }
}
