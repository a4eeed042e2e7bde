"""Messages in the database: every statement of this package that touches the table `taskhost.message`."""
from taskhost_client import columns, fields
from taskhost_client.errors import BrokerRefused

# Of a queue's name, in bytes: it is a key of an index.
LONGEST_QUEUE = 1000

# The notice is given out with the commit, to workers that wait; it says what there is, and the queue.
INSERT = """
    WITH made AS (
        INSERT INTO taskhost.message(queue, state, priority, due, name, root, properties, headers, body)
        SELECT queue, %s, %s, clock_timestamp() + make_interval(secs => %s), %s, %s, %s, %s, %s FROM unnest(%s) AS queue
        RETURNING queue)
    SELECT pg_notify('taskhost', %s || queue) FROM made
    """


def insert(link, queues, message):
    headers = message["headers"]
    delay = columns.delay_seconds(message)
    state, word = (columns.DELAYED, "later:") if delay > 0 else (columns.READY, "ready:")
    for queue in queues:
        if not 0 < len(queue.encode()) <= LONGEST_QUEUE:
            raise BrokerRefused(f"The name of the queue is not 1 to {LONGEST_QUEUE} bytes long. Name another")
    link.rows(INSERT, (state, columns.priority(message), delay, _text(headers.get("id")), _text(headers.get("root_id")),
                       columns.properties(message), fields.headers_text(headers), columns.body(message), queues, word))


def waiting(link, queue):
    """How many are ready or delayed."""
    return link.rows("SELECT count(*) FROM taskhost.message WHERE queue = %s AND state IN (0, 1)", (queue,))[0][0]


def purge(link, queue):
    """Throws away what waits, and says how many that were."""
    return link.rows("DELETE FROM taskhost.message WHERE queue = %s AND state IN (0, 1)", (queue,))[0][0]


def _text(value):
    """A column that others look for; what is no text is left in the headers alone."""
    return value if isinstance(value, str) and "\0" not in value else None
