// Sorts Redis' error texts: wait and try again, or give up with a fix.
import Ports

enum RedisTrouble {
    /// Passes by itself, or when an operator acts: the command is sent again.
    case passing(String)
    /// The same, but this server is the wrong one now (a replica): connect anew, perhaps elsewhere.
    case wrongServer(String)
    case permanent(StoreFailure)

    init(_ text: String, at address: RedisAddress) {
        let code = text.prefix { $0 != " " }
        switch code {
        case "LOADING":
            self = .passing("Redis at \(address) is still loading its data")
        case "OOM":
            self = .passing(
                "Redis at \(address) is out of memory (maxmemory reached): raise it or set an eviction policy")
        case "MISCONF":
            self = .passing("Redis at \(address) cannot save to its disk and refuses writes: make room, or see its log")
        case "BUSY", "TRYAGAIN", "CLUSTERDOWN", "NOREPLICAS":
            self = .passing("Redis at \(address) cannot answer now: \(text)")
        case "READONLY":
            self = .wrongServer("Redis at \(address) is a read-only replica: point the address at the primary")
        case "MASTERDOWN", "UNBLOCKED":
            self = .wrongServer("Redis at \(address) has lost its primary: \(text)")
        case "WRONGPASS", "NOAUTH", "NOPERM":
            self = .permanent(Self.refused(text, address))
        case "ERR" where text.contains("AUTH") || text.contains("invalid password"):
            self = .permanent(Self.refused(text, address))
        case "ERR" where text.contains("max number of clients"):
            self = .passing("Redis at \(address) has no room for another client (maxclients)")
        case "WRONGTYPE":
            self = .permanent(
                StoreFailure(
                    "A result's key in \(address) holds something else: \(text)", isPermanent: true,
                    fix: "Remove the key, or use another database or global_keyprefix"))
        default:
            self = .permanent(StoreFailure("Redis at \(address) refused: \(text)", isPermanent: true))
        }
    }

    private static func refused(_ text: String, _ address: RedisAddress) -> StoreFailure {
        StoreFailure(
            "Redis at \(address) refused us: \(text)", isPermanent: true,
            fix: "Check user and password in the address, and what the user may do (ACL LIST)")
    }
}
