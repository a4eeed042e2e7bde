// `taskhost.send`: sending a task from SQL, within the transaction of its caller.

/// Makes the same message as a Celery client does (celery-protocol.md §1.1–1.4): headers of protocol 2, a JSON body.
///
/// It runs with the rights of the owner of the tables, so that `EXECUTE` on it and `USAGE` of the schema is all that its
/// callers need; for that reason its search path is fixed, and nobody may call it whom nobody has granted it.
enum SendFunction {
    static let sql = """
        CREATE FUNCTION taskhost.send(
            task text, args jsonb DEFAULT '[]', kwargs jsonb DEFAULT '{}', queue text DEFAULT 'celery',
            priority integer DEFAULT 0, eta timestamptz DEFAULT NULL, countdown_s double precision DEFAULT NULL,
            task_id text DEFAULT NULL, expires timestamptz DEFAULT NULL)
        RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
        AS $send$
        DECLARE
            own_id text := coalesce(nullif(send.task_id, ''), gen_random_uuid()::text);
            due timestamptz := coalesce(send.eta, clock_timestamp());
            waits boolean := false;
            iso constant text := 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"';
            headers json;
            properties json;
        BEGIN
            IF coalesce(send.task, '') = '' THEN
                RAISE 'taskhost.send: the task has no name' USING ERRCODE = '22023',
                    HINT = 'Name it: SELECT taskhost.send(''tasks.add'', ''[4, 6]'')';
            END IF;
            IF coalesce(jsonb_typeof(send.args), '') <> 'array' THEN
                RAISE 'taskhost.send: args is no JSON array' USING ERRCODE = '22023',
                    HINT = 'Write ''[4, 6]'' or jsonb_build_array(4, 6)';
            END IF;
            IF coalesce(jsonb_typeof(send.kwargs), '') <> 'object' THEN
                RAISE 'taskhost.send: kwargs is no JSON object' USING ERRCODE = '22023',
                    HINT = 'Write ''{"x": 4}'' or jsonb_build_object(''x'', 4)';
            END IF;
            IF coalesce(send.queue, '') = '' OR octet_length(send.queue) > \(MessageBounds.queueBytes) THEN
                RAISE 'taskhost.send: the name of the queue is not 1 to \(MessageBounds.queueBytes) bytes long'
                    USING ERRCODE = '22023', HINT = 'Name a queue that a worker serves';
            END IF;
            IF send.priority IS NULL OR send.priority NOT BETWEEN 0 AND 255 THEN
                RAISE 'taskhost.send: the priority is not between 0 and 255' USING ERRCODE = '22023',
                    HINT = 'A higher one is served first';
            END IF;
            IF send.eta IS NOT NULL AND send.countdown_s IS NOT NULL THEN
                RAISE 'taskhost.send: both eta and countdown_s are given' USING ERRCODE = '22023',
                    HINT = 'Give one of them';
            END IF;
            IF NOT isfinite(due) OR NOT coalesce(isfinite(send.expires), true) THEN
                RAISE 'taskhost.send: eta and expires are to be finite' USING ERRCODE = '22023',
                    HINT = 'Leave out what has no end';
            END IF;
            IF send.countdown_s IS NOT NULL THEN
                IF NOT (send.countdown_s >= 0 AND send.countdown_s <= \(MessageBounds.delaySeconds)) THEN
                    RAISE 'taskhost.send: countdown_s is not between 0 and \(MessageBounds.delaySeconds)'
                        USING ERRCODE = '22023', HINT = 'It is in seconds';
                END IF;
                due := due + make_interval(secs => send.countdown_s);
            END IF;
            waits := due > clock_timestamp();
            headers := json_build_object(
                'lang', 'sql', 'task', send.task, 'id', own_id, 'shadow', NULL,
                'eta', CASE WHEN send.eta IS NOT NULL OR send.countdown_s IS NOT NULL
                    THEN to_char(due AT TIME ZONE 'UTC', iso) END,
                'expires', to_char(send.expires AT TIME ZONE 'UTC', iso),
                'group', NULL, 'group_index', NULL, 'retries', 0, 'timelimit', json_build_array(NULL, NULL),
                'root_id', own_id, 'parent_id', NULL, 'argsrepr', left(send.args::text, 1024),
                'kwargsrepr', left(send.kwargs::text, 1024), 'origin', 'sql@' || session_user, 'ignore_result', false);
            properties := json_build_object(
                'content_type', 'application/json', 'content_encoding', 'utf-8', 'correlation_id', own_id,
                'priority', send.priority, 'delivery_mode', 2);
            INSERT INTO taskhost.message(queue, state, priority, due, name, root, properties, headers, body)
            VALUES (send.queue, CASE WHEN waits THEN 1 ELSE 0 END, send.priority, due, own_id, own_id,
                properties::text, headers::text,
                convert_to(format('[%s, %s, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]',
                    send.args, send.kwargs), 'UTF8'));
            -- Given to those who listen when the transaction is committed, and never when it is not.
            PERFORM pg_notify('\(MessageNotice.channel)',
                CASE WHEN waits THEN '\(MessageNotice.later)' ELSE '\(MessageNotice.ready)' END || send.queue);
            RETURN own_id;
        END $send$;
        REVOKE ALL ON FUNCTION taskhost.send FROM PUBLIC;

        """
}
