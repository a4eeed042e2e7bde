"""What is due later is visible, and can be revoked, on every broker."""
import uuid

import celery
import pytest
from lab import clients, settings
from lab.wait import until

STORES = {"rabbitmq": "AMQP_URL", "redis": "REDIS_URL"}


class Place:
    def __init__(self, kind, own):
        self.kind = kind
        self.broker = settings.server(STORES[kind]) if kind in STORES else own
        self.backend = settings.server("REDIS_URL") if kind in STORES else own
        self.app = clients.app(self.broker, self.backend) if kind in STORES else None
        self.queue = f"later-{kind}-{uuid.uuid4().hex[:8]}"
        self.node = f"{self.queue}@test"


@pytest.fixture(params=["rabbitmq", "redis", "embedded", "postgresql"])
def place(request, tmp_path):
    own = f"sqlite://{tmp_path}/later.db"
    if request.param == "postgresql":
        own = request.getfixturevalue("database").broker
    one = Place(request.param, own)
    yield one
    if one.app:
        one.app.close()


@pytest.fixture(params=["rabbitmq", "redis"])
def python_place(request):
    one = Place(request.param, None)
    yield one
    one.app.close()


@pytest.fixture
def ask(taskhost):
    """ask(place, "status", …): a command about this place's broker and results."""
    def run(place, *words):
        return taskhost(*words, "-b", place.broker, "--result-backend", place.backend)
    return run


def test_commands_show_what_is_due_later_and_when(place, start_worker, ask):
    start_worker(place, place.queue, options=["-n", place.node])
    sent = [ask(place, "call", "tasks.add", "1", str(number), "-Q", place.queue, "--countdown", str(seconds)).expect(0)
            for number, seconds in enumerate([5000, 500])]
    far, near = (one.out.strip() for one in sent)

    def listed():
        found = ask(place, "scheduled", place.queue, "--json").expect(0).json
        return found if found["queues"] == {place.queue: 2} else None
    found = until("both to wait in the broker", listed, 40)
    assert [one["id"] for one in found["next"]] == [near, far]
    assert found["next"][0]["name"] == "tasks.add"
    table = ask(place, "scheduled", place.queue, "--limit", "1").expect(0).out
    assert near in table and far not in table and f"{place.queue}  2" in table
    told = ask(place, "result", near).expect(75)
    assert told.out.startswith("PENDING: due ") and ", in 8m " in told.out
    assert ask(place, "result", near, "--json").expect(75).json["place"] == "scheduled"
    scheduled = ask(place, "inspect", "scheduled", "-d", place.node, "--json").expect(0).json
    assert [one["request"]["id"] for one in scheduled[place.node]] == [near, far]
    assert ask(place, "status", "-d", place.node, "--json").expect(0).json[place.node]["later"] == 2
    # A revoked one says so at once, though its message waits on.
    ask(place, "revoke", near).expect(0)
    until("its state to be told", lambda: "REVOKED" in str(ask(place, "result", near, "--json").json["state"]), 40)


def test_a_python_client_sees_what_is_due_later(python_place, start_worker):
    place = python_place
    start_worker(place, place.queue, options=["-n", place.node])
    sent = place.app.send_task("tasks.add", (1, 2), queue=place.queue, countdown=500)
    inspect = place.app.control.inspect(timeout=5, destination=[place.node])

    def entries():
        return (inspect.scheduled() or {}).get(place.node)
    entry, = until("it to be postponed", entries, 40)
    assert set(entry) == {"eta", "priority", "request"}
    assert entry["request"]["id"] == sent.id and entry["request"]["args"] == [1, 2]
    asked = inspect.query_task(sent.id, "nobody")[place.node]
    assert list(asked) == [sent.id] and asked[sent.id][0] == "scheduled"


def test_of_two_workers_of_a_queue_one_tells_what_waits(python_place, start_worker):
    place = python_place
    nodes = [place.node, "other-" + place.node]
    for node in nodes:
        start_worker(place, place.queue, options=["-n", node])
    ids = {place.app.send_task("tasks.add", (1, 2), queue=place.queue, countdown=500).id for _ in range(6)}
    inspect = place.app.control.inspect(timeout=5, destination=nodes)

    def told():
        replies = inspect.scheduled() or {}
        found = [one["request"]["id"] for node in nodes for one in replies.get(node, [])]
        assert len(found) == len(set(found)), "told twice"
        return set(found) == ids
    until("all to be postponed", told, 40)


def test_a_workflow_is_revoked_with_all_that_is_still_to_come(place, start_worker, ask, note, gate):
    start_worker(place, place.queue, slots=1, options=["-n", place.node])
    call = ["call", "-Q", place.queue, "--chain", f"journey.mark {note} second", "journey.gate", str(note), "first",
            gate.path]
    ask(place, *call).expect(0)
    until("the first step to run", lambda: note.lines == ["first"])
    running = ask(place, "inspect", "active", "-d", place.node, "--json").expect(0).json
    root = running[place.node][0]["id"]
    ask(place, "revoke", "--workflow", root).expect(0)
    gate.open()
    until("the first step to end", lambda: note.lines == ["first", "first done"])
    # Behind it in the same queue, with one slot: when it is through, so is what followed.
    ask(place, "call", "journey.mark", str(note), "other", "-Q", place.queue, "--wait=30").expect(0)
    assert note.lines == ["first", "first done", "other"]


def test_a_call_that_waits_shortly_for_what_nobody_takes_says_so(place, start_worker, ask):
    start_worker(place, place.queue)
    waited = ask(place, "call", "tasks.add", "1", "2", "-Q", "nobodys-" + place.queue, "--wait=1")
    assert waited.status == 124 and waited.err.count(f"no worker consumes queue 'nobodys-{place.queue}'") == 1


def test_a_call_that_nobody_takes_says_so(place, start_worker, ask):
    start_worker(place, place.queue)
    told = ask(place, "call", "tasks.add", "1", "2", "-Q", "nobodys-" + place.queue, "--check").expect(0)
    assert f"no worker consumes queue 'nobodys-{place.queue}'" in told.err and place.queue in told.err
    waited = ask(place, "call", "tasks.ad", "1", "2", "-Q", place.queue, "--wait=20")
    assert "has registered 'tasks.ad'; did you mean 'tasks.add'?" in waited.err or waited.status == 1
    quiet = ask(place, "call", "tasks.add", "1", "2", "-Q", place.queue, "--check").expect(0)
    assert quiet.err == ""
    dropped = celery.Celery(broker=place.broker) if place.kind == "rabbitmq" else None
    if dropped:
        with dropped.connection() as link:
            link.default_channel.queue_delete("nobodys-" + place.queue)
