"""Limits on running tasks and rates: of all workers together, through Redis or a SQLite file, and by key."""
import pytest
from conftest import Transport
from lab import command
from lab.wait import until
from test_control import inspect


def limits(folder, task, lines, shared=None):
    """The options of a worker that limits this task."""
    path = folder / "limits.toml"
    place = f'[shared_limits]\nurl = "{shared}"\n' if shared else ""
    path.write_text(f'{place}[tasks."{task}"]\n{lines}\n')
    return ["--config", str(path)]


def most_at_once(lines):
    """Of a note that `journey.spell` wrote; after the line "killed" what never ends, or starts anew, is over."""
    running, most = set(), 0
    for index, line in enumerate(lines):
        if line == "killed":
            running = {word for word in running
                       if next((later for later in lines[index:] if later.split()[0] == word), "") == f"{word} done"}
        elif line.endswith(" done"):
            running.discard(line.removesuffix(" done"))
        else:
            running.add(line)
            most = max(most, len(running))
    return most


@pytest.fixture(params=["redis", "sqlite"])
def shared(request, tmp_path):
    """Where limits lie; the Redis of the results is the default."""
    return None if request.param == "redis" else f"sqlite://{tmp_path}/limits.db"


@pytest.fixture
def start_two(redis_transport, start_worker, queue, tmp_path, shared):
    def start(task, lines):
        options = limits(tmp_path, task, 'limit_scope = "global"\n' + lines, shared)
        return [start_worker(redis_transport, queue, options=["-n", f"{name}-{queue}@test", *options])
                for name in ("one", "two")]

    return start


def test_two_workers_together_never_run_more_than_may(redis_transport, start_two, queue, note):
    start_two("journey.spell", "max_concurrent = 2")
    words = [f"task-{number}" for number in range(20)]
    results = [redis_transport.send("journey.spell", str(note), word, 0.1, queue=queue) for word in words]
    assert [result.get(timeout=60) for result in results] == words
    assert most_at_once(note.lines) == 2


def test_a_killed_workers_places_come_back(redis_transport, start_two, queue, note):
    first, _ = start_two("journey.spell", "max_concurrent = 2")
    words = [f"task-{number}" for number in range(12)]
    results = [redis_transport.send("journey.spell", str(note), word, 0.3, queue=queue) for word in words]
    # In the midst of its second task: one of the two that run is likely its own.
    until("the first worker to run some", lambda: len(first.events("succeeded")) > 1
          or sum(line.endswith("done") for line in note.lines) > 3, 30)
    first.kill()
    with open(str(note), "a") as file:
        file.write("killed\n")
    assert sorted(result.get(timeout=90) for result in results) == sorted(words)
    assert most_at_once(note.lines) <= 2


def test_two_workers_together_keep_a_rate(redis_transport, start_two, queue, note):
    start_two("journey.mark", 'rate_limit = "5/s"')
    results = [redis_transport.send("journey.mark", str(note), str(number), queue=queue) for number in range(11)]
    for result in results:
        result.get(timeout=60)
    ends = sorted(result.date_done for result in results)
    # Ten pauses of 0.2 s; the first and the last end may be late.
    assert (ends[-1] - ends[0]).total_seconds() >= 1.7


def test_values_of_the_key_do_not_hold_each_other_up(redis_transport, start_two, queue, note, gate):
    start_two("journey.gate", 'max_concurrent = 1\nlimit_key = "word"')
    # More than either worker takes ahead.
    held = [redis_transport.send("journey.gate", str(note), "held", gate.path, queue=queue) for _ in range(30)]
    until("the first of them to run", lambda: note.lines == ["held"])
    free = redis_transport.app.send_task(
        "journey.gate", (str(note),), {"word": "free", "gate": "/dev/null"}, queue=queue)
    assert free.get(timeout=20) == "free"
    assert note.lines == ["held", "free", "free done"]
    gate.open()
    assert [result.get(timeout=60) for result in held] == ["held"] * 30
    running = 0
    for line in note.lines:
        running += {"held": 1, "held done": -1}.get(line, 0)
        assert running <= 1


def test_who_waits_for_a_limit_is_reserved_and_a_new_rate_lets_it_go(redis_transport, start_worker, queue, note,
                                                                    tmp_path):
    node = f"one-{queue}@test"
    options = limits(tmp_path, "journey.mark", 'rate_limit = "1/h"\nmax_concurrent = 5\nlimit_scope = "global"')
    start_worker(redis_transport, queue, options=["-n", node, *options])
    assert redis_transport.send("journey.mark", str(note), "first", queue=queue).get(timeout=30) == "first"
    waiting = redis_transport.send("journey.mark", str(note), "second", queue=queue)
    until("it to be held", lambda: [task["id"] for task in inspect(redis_transport, node, "reserved")] == [waiting.id])
    assert inspect(redis_transport, node, "active") == []
    redis_transport.app.control.rate_limit("journey.mark", "10/s", destination=[node], reply=True, timeout=10)
    assert waiting.get(timeout=30) == "second"


def test_hosts_of_one_file_keep_a_limit_together(embedded, start_worker, note, tmp_path):
    options = limits(tmp_path, "journey.spell", 'max_concurrent = 1\nlimit_scope = "global"')
    first, _ = (start_worker(embedded, "normal", options=options) for _ in range(2))
    ids = [embedded.call("journey.spell", str(note), f"task-{number}", 0.3, queue="normal").expect(0).json["id"]
           for number in range(6)]
    until("some to run", lambda: len(note.lines) > 2)
    first.kill()
    with open(str(note), "a") as file:
        file.write("killed\n")
    assert [embedded.result(one, wait=60)["result"] for one in ids] == [f"task-{number}" for number in range(6)]
    assert most_at_once(note.lines) == 1


def test_without_a_place_to_share_a_global_limit_is_an_error_that_names_the_fix(tmp_path):
    done = command.run(tmp_path, "worker", "-b", "amqp://nowhere.invalid//", "--result-backend", "rpc://",
                       *limits(tmp_path, "journey.mark", 'max_concurrent = 1\nlimit_scope = "global"'))
    assert "limit_scope" in done.err and "fix:" in done.err and "shared_limits.url" in done.err, done


def test_a_bundle_that_asks_for_it_is_named_with_the_fix_and_its_other_tasks_run(start_worker, taskhost, queue, note,
                                                                                 gate, tmp_path, journey):
    transport = Transport("rpc")
    worker = start_worker(transport, queue)
    worker.wait_for_log('"level":"error"', "journey.solo will not be run", "shared_limits.url", "limit_scope to worker")
    waiting = transport.send("journey.solo", str(note), "late", gate.path, queue=queue)
    assert transport.send("journey.mark", str(note), "other", queue=queue).get(timeout=30) == "other"
    worker.wait_for_log("could not ask for its limit", "shared_limits.url")
    found = taskhost("doctor", "--json", "-b", transport.broker, "-Q", queue, "--plugins", worker.plugins).expect(2).json
    [hit] = [one for one in found["checks"] if "journey.solo" in one["detail"] and one["level"] == "fail"]
    assert hit["subject"] == "limits" and "shared_limits.url" in hit["fix"]
    assert worker.stop() == 0 and note.lines == ["other"]
    # Nothing was lost: as the operator says, it runs.
    gate.open()
    second = start_worker(transport, queue, options=limits(tmp_path, "journey.solo", 'limit_scope = "worker"'))
    assert waiting.get(timeout=20) == "late"
    assert not second.said("will not be run")
    transport.app.close()


def test_a_bundle_says_how_its_tasks_are_limited_and_the_operator_wins(redis_transport, start_worker, queue, note, gate,
                                                                       tmp_path):
    """`journey.solo` asks for one at a time of all workers, for each word."""
    def send(*words):
        return [redis_transport.send("journey.solo", str(note), word, gate.path, queue=queue) for word in words]

    nodes = [f"{name}-{queue}@test" for name in ("one", "two")]
    workers = [start_worker(redis_transport, queue, options=["-n", node]) for node in nodes]
    results = send("same", "same", "other")
    until("each word to run once", lambda: sorted(note.lines) == ["other", "same"])
    until("the third to wait", lambda: sum(len(inspect(redis_transport, node, "reserved")) for node in nodes) == 1)
    assert sorted(note.lines) == ["other", "same"]
    gate.open()
    assert [result.get(timeout=20) for result in results] == ["same", "same", "other"]
    for worker in workers:
        worker.stop()
    gate.path += "-of-the-second-part"
    options = limits(tmp_path, "journey.solo", "max_concurrent = 2")
    start_worker(redis_transport, queue, options=["-n", f"three-{queue}@test", *options])
    results = send("both", "both")
    until("both to run", lambda: note.lines.count("both") == 2)
    gate.open()
    assert [result.get(timeout=20) for result in results] == ["both", "both"]
