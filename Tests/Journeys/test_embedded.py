"""Without any server: broker and results in one SQLite file, used by several hosts and clients at once."""
from concurrent.futures import ThreadPoolExecutor

from lab.wait import until


def test_a_call_waits_for_its_result(embedded, start_worker):
    start_worker(embedded, "urgent,normal")
    done = embedded.call("tasks.add", 4, 6, queue="urgent", wait=10).expect(0)
    assert done.json["result"] == 10.0


def test_words_and_json_are_told_apart(embedded, start_worker):
    start_worker(embedded, "normal")
    assert embedded.call("journey.echo", "hello", queue="normal", wait=10).expect(0).json["result"] == "hello"
    assert embedded.call("journey.echo", '"4"', queue="normal", wait=10).expect(0).json["result"] == "4"
    done = embedded.call("journey.keywords", 1, queue="normal", wait=10, options=["--kwargs", '{"c": 2}']).expect(0)
    assert done.json["result"] == 152


def test_a_failed_task_ends_the_call_with_status_1_and_a_late_one_with_124(embedded, start_worker, note, gate):
    start_worker(embedded, "normal")
    failed = embedded.call("tasks.fail", queue="normal", wait=10).expect(1)
    assert "ValueError" in failed.out + failed.err
    embedded.call("journey.gate", str(note), "slow", gate.path, queue="normal", wait=1).expect(124)
    gate.open()


def test_what_is_sent_before_a_worker_exists_is_kept(embedded, start_worker):
    task_id = embedded.call("tasks.add", 1, 2, queue="normal").expect(0).json["id"]
    start_worker(embedded, "normal")
    assert embedded.result(task_id)["result"] == 3.0


def test_two_hosts_and_many_clients_share_one_file(embedded, start_worker, note):
    for _ in range(2):
        start_worker(embedded, "normal")
    words = [f"word-{number:02}" for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(lambda word: embedded.call("journey.mark", str(note), word, queue="normal", wait=20),
                             words))
    assert [one.expect(0).json["result"] for one in sent] == words
    assert sorted(note.lines) == words


def test_another_host_takes_over_from_a_killed_one(embedded, start_worker, note, gate):
    first = start_worker(embedded, "normal", slots=1)
    task_id = embedded.call("journey.gate", str(note), "once", gate.path, queue="normal").expect(0).json["id"]
    until("the task to run", lambda: note.lines == ["once"])
    start_worker(embedded, "normal", slots=1)
    first.kill()
    until("the other host to start it again", lambda: note.lines == ["once", "once"], 40)
    gate.open()
    assert embedded.result(task_id, wait=10)["result"] == "once"


def test_a_priority_9_message_overtakes_a_thousand_of_0(embedded, start_worker, note, gate, tmp_path):
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(lambda n: embedded.call("journey.gate", str(note), f"low {n}", gate.path, queue="normal"),
                          range(200)):
            pass
    start_worker(embedded, "normal", slots=2)
    until("both slots to be busy", lambda: len(note.lines) == 2)
    high = embedded.call("journey.mark", str(note), "high", queue="normal", options=["--priority", "9"]).expect(0)
    gate.open()
    embedded.result(high.json["id"], wait=30)
    starts = [line for line in note.lines if "done" not in line]
    print(f"the priority-9 task was start number {starts.index('high') + 1}, after 2 that were running")
    # Behind what the worker held, which is more than its slots, and a few more once the tasks prove to be short.
    assert starts.index("high") <= 20


def test_a_countdown_is_kept_in_the_file(embedded, start_worker, note):
    # Long enough for a slow machine to start the worker meanwhile.
    late = embedded.call("journey.mark", str(note), "late", queue="normal", options=["--countdown", "6"]).expect(0)
    start_worker(embedded, "normal")
    embedded.call("journey.mark", str(note), "soon", queue="normal", wait=10).expect(0)
    assert embedded.result(late.json["id"], wait=30)["result"] == "late"
    assert note.lines == ["soon", "late"]


def test_a_crash_becomes_a_dead_letter_in_the_file(embedded, start_worker, taskhost):
    start_worker(embedded, "normal", slots=1)
    crashed = embedded.call("journey.speak_and_crash", "last words", queue="normal", wait=20).expect(1)
    assert "WorkerLostError" in crashed.out + crashed.err
    listing = lambda: taskhost("dead", "ls", "normal", "-b", embedded.broker, "--json").expect(0).json_lines  # noqa: E731
    [letter] = until("the dead letter", listing)
    shown = taskhost("dead", "show", "normal", letter["id"], "-b", embedded.broker).expect(0).out
    assert "SIGSEGV" in shown and "last words" in shown
    taskhost("dead", "drop", "normal", letter["id"], "-b", embedded.broker, "--force").expect(0)
    assert listing() == []


def test_progress_is_shown_while_a_call_waits(embedded, start_worker):
    start_worker(embedded, "normal")
    words = ["call", "journey.progress", 4, 0.2, "-b", embedded.broker, "--queue", "normal", "--wait=10"]
    done = embedded.taskhost(*words).expect(0)
    assert "2" in done.out + done.err and "4" in done.out


def test_purge_throws_away_what_waits(embedded, taskhost):
    for _ in range(3):
        embedded.call("tasks.add", 1, 2, queue="normal").expect(0)
    purged = taskhost("purge", "normal", "-b", embedded.broker, "--force", "--json")
    assert purged.expect(0).json == {"normal": 3}
