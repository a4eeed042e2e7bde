// What memcached's errors mean for what was asked.
import Ports

enum MemcachedErrorKind {
    /// It may go later, as it is.
    case passing(String)
    /// This connection is of no more use.
    case reconnect(String)
    /// It will never go like this.
    case failed(StoreFailure)

    /// nil: the reply is no error.
    init?(_ reply: MemcachedReply, at server: MemcachedAddress.Server) {
        guard let line = reply.word else { return nil }
        let text = "memcached at \(server): \(line)"
        if line.hasPrefix("SERVER_ERROR object too large") {
            self = .failed(
                StoreFailure(
                    "\(text): the item is larger than memcached takes (1 MiB, unless it was started with another -I)",
                    .unfit, fix: "Start memcached with a larger -I, or store large results elsewhere and return where"))
        } else if line.hasPrefix("SERVER_ERROR out of memory") {
            self = .passing("\(text): it is full, and throws nothing away (-M)")
        } else if line.hasPrefix("SERVER_ERROR") {
            self = .passing(text)
        } else if line.hasPrefix("CLIENT_ERROR unauthenticated") {
            self = .failed(
                StoreFailure(
                    "\(text): it was started with -Y and wants a password, and Celery's clients send none", .refused,
                    fix: "Start memcached without -Y, on an address that only the workers and clients reach"))
        } else if line.hasPrefix("CLIENT_ERROR") {
            self = .failed(StoreFailure(text, .unfit))
        } else if line.hasPrefix("ERROR") {
            self = .reconnect(line == "ERROR" ? "\(text): it does not know the command. Is it memcached?" : text)
        } else {
            return nil
        }
    }
}
