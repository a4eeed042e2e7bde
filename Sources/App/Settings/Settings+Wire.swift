// `[limits]`, `[wire]` and `[security]`: what messages may be.
public import CeleryWire

public struct LimitsKeys: SettingsSection {
    public let maxBodyBytes = Key<Int>(
        "limits.max_body_bytes", .integer(1024...62_914_560), default: WireLimits.standard.maxBodyBytes,
        "longest message body accepted")
    public let maxDepth = Key<Int>(
        "limits.max_depth", .integer(4...512), default: WireLimits.standard.maxDepth,
        "deepest nesting of a body accepted")
    public let maxNodes = Key<Int>(
        "limits.max_nodes", .integer(16...16_000_000), default: WireLimits.standard.maxNodes,
        "most JSON values in a body")
    public let maxHeldBytes = Key<Int>(
        "limits.max_held_bytes", .integer(1_048_576...1_099_511_627_776), default: 64 << 20,
        "bytes of all messages held at a time; one that is larger than half of it is held alone")
    public let maxWaiting = Key<Int>(
        "limits.max_waiting", .integer(0...1_000_000), default: 2000,
        "messages held until they are due; others wait in the broker")
    public let maxHeaderDepth = Key<Int>(
        "limits.max_header_depth", .integer(2...32), default: WireLimits.standard.maxHeaderDepth,
        "deepest nesting of headers accepted")
    public let maxHeaderFields = Key<Int>(
        "limits.max_header_fields", .integer(32...10_000), default: WireLimits.standard.maxHeaderFields,
        "most header values, nested ones included")
    public let maxHeaderBytes = Key<Int>(
        "limits.max_header_bytes", .integer(1024...122_880), default: WireLimits.standard.maxHeaderBytes,
        "most bytes of all header names and texts")
}

public struct WireKeys: SettingsSection {
    public let acceptContent = Key<[String]>(
        "wire.accept_content", .texts, environment: ["TASKHOST_ACCEPT_CONTENT"], default: ["json"],
        "serializers of messages taken: `json`, `msgpack`, `yaml`, `auth` (signed; what is in it may be any of "
            + "the others)")
    public let taskSerializer = Key<ContentType?>(
        "wire.task_serializer", .choice(["json", "msgpack", "yaml", "auth"]), default: nil,
        shown: "as the message came",
        "of continuations, and of what tasks send"
    ) { (name: String) in .named(name) }
    public let taskCompression = Key<Compression?>(
        "wire.task_compression", .choice(["zlib", "bzip2", "lzma", "brotli", "zstd"]), default: nil,
        shown: "as the message came",
        "likewise"
    ) { (name: String) in .named(name) }
}

public struct SecurityKeys: SettingsSection {
    public let replyTo = Key<[String]>(
        "security.reply_to", .texts, default: [],
        "queues that results (rpc://) and replies of remote control may go to, beside those of Celery's "
            + "clients; `*` for any text")
    public let certStore = Key<String?>(
        "security.cert_store", .text, default: nil,
        "folder, or pattern, of the PEM certificates whose signatures are believed")
    public let key = Key<String?>(
        "security.key", .text, default: nil,
        "PEM file of our RSA key, to sign with")
    public let keyPasswordFile = Key<String?>(
        "security.key_password_file", .text, default: nil,
        "file that holds the key's password")
    public let certificate = Key<String?>(
        "security.certificate", .text, default: nil,
        "PEM file of the certificate of our key")
    public let digest = Key<String>(
        "security.digest", .choice(["sha256", "sha224", "sha384", "sha512"]), default: "sha256",
        "hash of the signatures")
}
