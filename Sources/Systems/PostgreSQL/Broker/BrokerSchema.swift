// The broker's tables: the schema `taskhost`, made where it is missing, and how an older layout becomes a present one.
import Ports

/// Looks at the layout over a new connection, and makes what is not there. Whoever makes it at the same time waits for
/// the same lock.
final class BrokerSchema {
    private let address: PostgreSQLAddress
    /// Why these tables cannot be used, better said than by the server; reported once.
    private(set) var refusal: StoreFailure?

    init(_ address: PostgreSQLAddress) { self.address = address }

    static var version: Int { steps.count }

    /// - Parameter done: nil, or why the tables cannot be used; then `refusal` may say more.
    func prepare(_ link: PostgreSQLLink, done: @escaping (ServerError?) -> Void) {
        refusal = nil
        look(link, mayMake: true, done)
    }

    private func look(_ link: PostgreSQLLink, mayMake: Bool, _ done: @escaping (ServerError?) -> Void) {
        ask(link, "SELECT to_regclass('taskhost.layout') IS NOT NULL", done) { [self] rows in
            guard rows.first?.first.flatMap({ $0 }) == [1] else {
                return mayMake ? make(link, done) : done(Self.odd("the table taskhost.layout is not there"))
            }
            ask(link, "SELECT max(version)::int4 FROM taskhost.layout", done) { [self] rows in
                let found: Int32? = rows.first?.integer(0)
                check(link, Int(found ?? 0), mayMake: mayMake, done)
            }
        }
    }

    private func check(
        _ link: PostgreSQLLink, _ found: Int, mayMake: Bool, _ done: @escaping (ServerError?) -> Void
    ) {
        if found > Self.version {
            let failure = StoreFailure(
                "The schema taskhost at \(address) has layout \(found), this taskhost knows up to \(Self.version)",
                .refused, fix: "Use the newer taskhost that made it, or another database")
            return refuse(failure, done)
        }
        if found < Self.version {
            return mayMake ? make(link, done) : done(Self.odd("the layout stays \(found)"))
        }
        ask(link, BrokerRights.missing, done) { [self] rows in
            guard let lacking = rows.first?.text(0), !lacking.isEmpty else { return done(nil) }
            refuse(BrokerRights.failure(address, "it lacks \(lacking)"), done)
        }
    }

    private func make(_ link: PostgreSQLLink, _ done: @escaping (ServerError?) -> Void) {
        // A DO block has no rows; whether it has made everything is looked at.
        ask(link, Self.script, done) { [self] nothing in look(link, mayMake: false, done) }
    }

    private func refuse(_ failure: StoreFailure, _ done: @escaping (ServerError?) -> Void) {
        refusal = failure
        done(ServerError(state: BrokerRights.state, message: failure.detail))
    }

    private func ask(
        _ link: PostgreSQLLink, _ sql: String, _ failed: @escaping (ServerError?) -> Void,
        _ answered: @escaping (Rows) -> Void
    ) {
        link.send([Statement(sql: sql)]) { [self] _, answer in
            switch answer {
            case .rows(let rows): answered(rows)
            case .lost: failed(ServerError(state: "08006", message: "the connection was lost"))
            case .failed(let error):
                if error.state == BrokerRights.state { refusal = BrokerRights.failure(address, error.message) }
                failed(error)
            }
        }
    }

    /// Somebody takes away what we make: it is tried again.
    private static func odd(_ message: String) -> ServerError { ServerError(state: "55000", message: message) }
}

extension BrokerSchema {
    /// One transaction, as a DO block is. The lock comes first: who waited for it finds everything made.
    fileprivate static var script: String {
        let changes = steps.enumerated().map { number, step in
            """
            IF layout_found < \(number + 1) THEN
            \(step)
            UPDATE taskhost.layout SET version = \(number + 1);
            END IF;
            """
        }
        return """
            DO $taskhost$
            DECLARE layout_found integer;
            BEGIN
            PERFORM pg_advisory_xact_lock(hashtext('taskhost: tables of the broker'));
            IF to_regnamespace('taskhost') IS NULL THEN CREATE SCHEMA taskhost; END IF;
            IF to_regclass('taskhost.layout') IS NULL THEN
            CREATE TABLE taskhost.layout(version integer NOT NULL);
            INSERT INTO taskhost.layout VALUES (0);
            END IF;
            SELECT max(version) INTO layout_found FROM taskhost.layout;
            \(changes.joined(separator: "\n"))
            END $taskhost$
            """
    }

    /// From one layout to the next. Never changed once released; a new layout is a new step.
    private static var steps: [String] { [tables + SendFunction.sql] }

    /// Every row of `message` is written at least three times (sent, taken, settled), so it is vacuumed by number, not by
    /// share, and has room for the next version on its page.
    private static let tables = """
        CREATE TABLE taskhost.message(
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- grows: the order of arrival
            queue text NOT NULL,
            state smallint NOT NULL,            -- 0 ready, 1 waits for its time, 2 held, 3 dead letter
            priority smallint NOT NULL DEFAULT 0,   -- 0 to 255; a higher one is served first
            due timestamptz NOT NULL DEFAULT clock_timestamp(), -- not handed out before
            host bigint,                        -- that holds it
            deliveries integer NOT NULL DEFAULT 0,  -- how often it was handed out
            lost_starts integer NOT NULL DEFAULT 0, -- starts that ended with their host
            name text,                          -- the task's id
            root text,                          -- the id of the task that all began with
            properties text NOT NULL,           -- JSON
            headers text NOT NULL,              -- JSON
            body bytea NOT NULL)
            WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
                autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 10000,
                autovacuum_vacuum_cost_delay = 0);
        CREATE INDEX message_ready ON taskhost.message(queue, priority DESC, id) WHERE state = 0;
        CREATE INDEX message_due ON taskhost.message(due) WHERE state = 1;
        CREATE INDEX message_held ON taskhost.message(host) WHERE state = 2;
        CREATE INDEX message_dead ON taskhost.message(queue, id) WHERE state = 3;
        CREATE TABLE taskhost.host(
            id bigint PRIMARY KEY,              -- random: never used twice
            session integer NOT NULL,           -- the connection by which it takes messages
            since timestamptz NOT NULL DEFAULT clock_timestamp(),
            lease_until timestamptz NOT NULL,
            queues text[] NOT NULL DEFAULT '{}',    -- that it serves
            started bigint[] NOT NULL DEFAULT '{}') -- of the messages it holds those that have started
            WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
        CREATE UNLOGGED TABLE taskhost.broadcast(   -- what is too long for NOTIFY, for a minute
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            sent timestamptz NOT NULL DEFAULT clock_timestamp(),
            letter text NOT NULL);
        CREATE TABLE taskhost.leader(           -- of beat: one row
            one boolean PRIMARY KEY CHECK (one),
            token text NOT NULL,
            lease_until timestamptz NOT NULL,
            memory bytea);

        """
}

/// What the user of an address may do in the schema.
enum BrokerRights {
    /// insufficient_privilege
    static let state = "42501"

    private static let tables = ["layout", "message", "host", "broadcast", "leader"]

    /// One row: the rights that are missing, as a sentence; empty: none.
    static var missing: String {
        let pairs = tables.flatMap { table in
            (table == "layout" ? ["SELECT"] : ["SELECT", "INSERT", "UPDATE", "DELETE"]).map { "('\(table)', '\($0)')" }
        }
        return """
            SELECT coalesce(string_agg(word || ' on taskhost.' || name, ', '), '')
            FROM (VALUES \(pairs.joined(separator: ", "))) AS needed(name, word)
            WHERE NOT has_table_privilege('taskhost.' || name, word)
            """
    }

    static func failure(_ address: PostgreSQLAddress, _ what: String) -> StoreFailure {
        let user = address.user.map { "\"\($0)\"" } ?? "the user of the address"
        return StoreFailure(
            "PostgreSQL at \(address) does not let user '\(address.user ?? "?")' be a worker's: \(what)", .forbidden,
            fix: "To let it make the schema: GRANT CREATE ON DATABASE \(address.database ?? "…") TO \(user)."
                + " To let it use one that is there: GRANT USAGE ON SCHEMA taskhost TO \(user);"
                + " GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA taskhost TO \(user)")
    }
}
