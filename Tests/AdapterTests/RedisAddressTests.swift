// Redis' addresses as Celery writes them, and its error texts.
import Ports
import Testing

@testable import Redis

@Suite("Redis' addresses and errors")
struct RedisAddressTests {
    typealias TLS = RedisAddress.TLS

    @Test(
        "addresses are read as Celery writes them",
        arguments: [
            ("redis://", RedisAddress(place: .host("localhost", port: 6379))),
            ("redis://h:7000/3", RedisAddress(place: .host("h", port: 7000), database: 3)),
            ("redis://:p%40ss@h", RedisAddress(place: .host("h", port: 6379), password: "p@ss")),
            ("redis://me:secret@h/", RedisAddress(place: .host("h", port: 6379), user: "me", password: "secret")),
            ("redis://[::1]:6380/1", RedisAddress(place: .host("::1", port: 6380), database: 1)),
            ("unix:///run/redis.sock?db=2", RedisAddress(place: .socket("/run/redis.sock"), database: 2)),
            ("redis+socket:///run/r.sock?virtual_host=4", RedisAddress(place: .socket("/run/r.sock"), database: 4)),
            ("redis://h?socket_timeout=5", RedisAddress(place: .host("h", port: 6379))),
            ("rediss://h", RedisAddress(place: .host("h", port: 6379), tls: TLS())),
            (
                "rediss://:p@h:7000/3",
                RedisAddress(place: .host("h", port: 7000), password: "p", database: 3, tls: TLS())
            ),
            ("redis://h?global_keyprefix=app", RedisAddress(place: .host("h", port: 6379), keyPrefix: "app")),
        ])
    func reads(url: String, expected: RedisAddress) throws {
        #expect(try RedisAddress(url: url) == expected)
    }

    @Test(
        "what cannot be used is refused with a fix",
        arguments: [
            "redis://h:port", "redis://h:70000", "redis://h/x", "redis://h/-1", "http://h", "h:1",
        ])
    func refuses(url: String) throws {
        let failure = #expect(throws: StoreFailure.self) { try RedisAddress(url: url) }
        #expect(failure?.code == .refused)
        #expect(failure?.fix != nil)
    }

    @Test("the password is shown nowhere")
    func hidesPassword() throws {
        #expect(try RedisAddress(url: "redis://me:secret@h:1/2").description == "redis://me@h:1/2")
        #expect(try RedisAddress(url: "rediss://me:secret@h:1/2").description == "rediss://me@h:1/2")
    }

    @Test(
        "how much a server is checked is read as redis-py and Celery write it, and by default it is checked in full",
        arguments: [
            ("", true, true), ("ssl_cert_reqs=required", true, true), ("ssl_cert_reqs=CERT_REQUIRED", true, true),
            ("ssl_cert_reqs=optional", true, true), ("ssl_cert_reqs=CERT_OPTIONAL", true, true),
            ("ssl_cert_reqs=none", false, true), ("ssl_cert_reqs=CERT_NONE", false, true),
            ("ssl_check_hostname=false", true, false), ("ssl_check_hostname=False", true, false),
            ("ssl_check_hostname=true", true, true),
        ])
    func checks(query: String, verifies: Bool, checksHostName: Bool) throws {
        let tls = try #require(try RedisAddress(url: "rediss://h?\(query)").tls)
        #expect(tls.verifies == verifies)
        #expect(tls.checksHostName == checksHostName)
    }

    @Test("files of certificates are read as redis-py and Celery write them")
    func files() throws {
        let url = "rediss://h?ssl_ca_certs=%2Fa%20b%2Fca.pem&ssl_certfile=/c.pem&ssl_keyfile=/k.pem"
        let tls = try #require(try RedisAddress(url: url).tls)
        #expect(tls.authorities == "/a b/ca.pem")
        #expect(tls.certificate == "/c.pem")
        #expect(tls.key == "/k.pem")
    }

    @Test(
        "parameters of TLS that cannot be meant are refused, and the right ones named",
        arguments: [
            ("rediss://h?ssl_ca_cert=/ca.pem", "ssl_ca_certs"), ("rediss://h?ssl_cert_reqs=maybe", "required"),
            ("rediss://h?ssl_cert_reqs=", "required"), ("rediss://h?ssl_check_hostname=perhaps", "true"),
            ("rediss://h?ssl_keyfile=/key.pem", "ssl_certfile"), ("redis://h?ssl_cert_reqs=none", "rediss://"),
            ("unix:///s?ssl_ca_certs=/ca.pem", "rediss://"),
        ])
    func refusesTLS(url: String, named: String) throws {
        let failure = #expect(throws: StoreFailure.self) { try RedisAddress(url: url) }
        #expect(failure?.code == .refused)
        #expect(failure?.fix?.contains(named) == true)
    }

    @Test(
        "a key prefix gets the separator Celery gives it",
        arguments: [("", ""), ("app", "app_"), ("app:", "app:"), ("a_", "a_"), ("a-", "a-"), ("a.", "a.")])
    func prefix(given: String, effective: String) {
        #expect(RedisAddress(place: .socket("/s"), keyPrefix: given).effectivePrefix == effective)
    }

    @Test(
        "errors that pass are waited out; of the others only what is wrong with one record is final",
        arguments: [
            ("LOADING Redis is loading the dataset in memory", "passing"), ("OOM command not allowed", "passing"),
            ("MISCONF Redis is configured to save RDB snapshots", "passing"), ("BUSY Redis is busy", "passing"),
            ("READONLY You can't write against a read only replica.", "wrong server"),
            ("WRONGPASS invalid username-password pair", "refused"), ("NOAUTH Authentication required.", "refused"),
            ("ERR invalid password", "refused"), ("NOPERM this user has no permissions", "forbidden"),
            ("ERR The user executing the script can't run this command or subcommand script: f", "forbidden"),
            ("ERR Error running script (call to f_6f): @user_script:1: @user_script: 1: -OOM command not", "passing"),
            ("ERR Error running script (call to f_6f): @user_script:9: user_script:9: attempt", "unavailable"),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", "unfit"),
            ("ERR string exceeds maximum allowed size (proto-max-bulk-len)", "unfit"),
            ("ERR something of a newer version", "unavailable"), ("CLUSTERDOWN The cluster is down", "passing"),
        ])
    func sorts(text: String, expected: String) {
        let found =
            switch RedisErrorKind(text, at: RedisAddress(place: .socket("/s"))) {
            case .transient: "passing"
            case .wrongServer: "wrong server"
            case .failed(let failure): "\(failure.code)"
            }
        #expect(found == expected)
    }

    @Test("a sentence of Redis' that becomes part of ours ends with one full stop")
    func fullStop() {
        let kind = RedisErrorKind("NOAUTH Authentication required.", at: RedisAddress(place: .socket("/s")))
        guard case .failed(let failure) = kind else { return #expect(Bool(false), "\(kind)") }
        #expect(failure.description.contains("NOAUTH Authentication required. Check user"), "\(failure)")
    }
}
