// Who is in a group besides root and us. Asked only where a group may write, which is seldom.

internal import Glibc

enum GroupMembers {
    /// Accounts looked at, at limit: beyond, there is somebody.
    private static let limit = 20_000

    /// The name of one other member; nil: there is none.
    static func foreignMember(in group: gid_t) -> String? {
        if group == 0 { return nil }
        if let entry = getgrgid(group) {
            var member = entry.pointee.gr_mem
            while let name = member?.pointee {
                if isStranger(named: name) { return String(cString: name) }
                member = member?.advanced(by: 1)
            }
        }
        // Whose own group it is stands in no list of members.
        setpwent()
        defer { endpwent() }
        for _ in 0..<limit {
            guard let account = getpwent() else { return nil }
            if account.pointee.pw_gid == group, isStranger(account.pointee.pw_uid) {
                return String(cString: account.pointee.pw_name)
            }
        }
        return "too many accounts to look at"
    }

    private static func isStranger(named name: UnsafePointer<CChar>) -> Bool {
        guard let account = getpwnam(name) else { return false }
        return isStranger(account.pointee.pw_uid)
    }

    private static func isStranger(_ user: uid_t) -> Bool { user != 0 && user != geteuid() }
}
