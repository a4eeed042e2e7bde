// Sorts Redis' error texts: wait and try again, or fail the command.
import Ports

enum RedisErrorKind {
    /// Passes by itself, or when an operator acts: the command is sent again.
    case transient(String)
    /// The same, but this server is the wrong one now (a replica): connect again, perhaps elsewhere.
    case wrongServer(String)
    /// The command's own failure, the caller's to judge: its code says whether trying again can help.
    case failed(StoreFailure)

    init(_ text: String, at address: RedisAddress) {
        var sentence = Substring(Self.inner(text))
        // It becomes part of ours.
        while sentence.last == "." { sentence.removeLast() }
        self.init(code: String(sentence), at: address)
    }

    /// Before Redis 7 an error within a script is shown as "ERR Error running script (…): @user_script:3: -OOM command
    /// …".
    private static func inner(_ text: String) -> String {
        guard text.hasPrefix("ERR Error running script"), let found = text.firstMatch(of: /: -([A-Z]+ .*)$/) else {
            return text
        }
        return String(found.1)
    }

    private init(code text: String, at address: RedisAddress) {
        let code = text.prefix { $0 != " " }
        switch code {
        case "LOADING":
            self = .transient("Redis at \(address) is still loading its data")
        case "OOM":
            self = .transient(
                "Redis at \(address) is out of memory (maxmemory reached): raise it, or remove what is not needed")
        case "MISCONF":
            self = .transient(
                "Redis at \(address) cannot save to its disk and refuses writes: make room, or see its log")
        case "BUSY", "TRYAGAIN", "CLUSTERDOWN", "NOREPLICAS":
            self = .transient("Redis at \(address) cannot answer now: \(text)")
        case "READONLY":
            self = .wrongServer("Redis at \(address) is a read-only replica: point the address at the primary")
        case "MASTERDOWN", "UNBLOCKED":
            self = .wrongServer("Redis at \(address) has lost its primary: \(text)")
        case "WRONGPASS", "NOAUTH":
            self = .failed(Self.refused(text, address))
        case "NOPERM":
            self = .failed(Self.forbidden(text, address))
        case "ERR" where text.contains("The user executing the script"):
            self = .failed(Self.forbidden(text, address))
        case "ERR" where text.contains("AUTH") || text.contains("invalid password"):
            self = .failed(Self.refused(text, address))
        case "ERR" where text.contains("max number of clients"):
            self = .transient("Redis at \(address) has no room for another client (maxclients)")
        case "ERR" where Self.namesSize(text):
            self = .failed(
                StoreFailure(
                    "Redis at \(address) takes nothing so large: \(text)", .unfit,
                    fix: "Keep large values elsewhere, or raise proto-max-bulk-len"))
        case "WRONGTYPE":
            self = .failed(
                StoreFailure(
                    "A key in \(address) holds something else: \(text)", .unfit,
                    fix: "Remove the key, or use another database or global_keyprefix"))
        default:
            // Perhaps a proxy's, or a newer server's: what we do not know may pass.
            self = .failed(StoreFailure("Redis at \(address) refused: \(text)"))
        }
    }

    private static func namesSize(_ text: String) -> Bool {
        text.contains("invalid bulk length") || text.contains("exceeds maximum allowed size")
    }

    private static func refused(_ text: String, _ address: RedisAddress) -> StoreFailure {
        StoreFailure(
            "Redis at \(address) refused us: \(text)", .refused,
            fix: "Check user and password in the address, and what the user may do (ACL LIST)")
    }

    /// Redis names the command, and from 7 on the user.
    private static func forbidden(_ text: String, _ address: RedisAddress) -> StoreFailure {
        let user = address.user ?? "default"
        let right = text.contains("channel") ? "&*" : text.contains(" key") ? "~*" : "+@all -@dangerous"
        return StoreFailure(
            "Redis at \(address) does not let user '\(user)' do what is needed: \(text)", .forbidden,
            fix: "Give the user that right (as ACL SETUSER \(user) \(right)); docs/redis.md lists all that is needed")
    }
}
