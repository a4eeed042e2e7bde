"""Limits that all workers keep together, through Redis."""
from lab import command
from lab.wait import until


def limited(tmp_path, task, lines):
    path = tmp_path / "limits.toml"
    path.write_text(f'[tasks."{task}"]\nlimit_scope = "global"\n{lines}\n')
    return ["--config", str(path)]


def test_two_workers_together_run_one_at_a_time(redis_transport, start_worker, queue, note, tmp_path):
    options = limited(tmp_path, "journey.gate", "max_concurrent = 1")
    for name in ("one", "two"):
        start_worker(redis_transport, queue, options=["-n", f"{name}-{queue}@test", *options])
    words = [f"task-{number}" for number in range(6)]
    results = {word: redis_transport.send("journey.gate", str(note), word, str(tmp_path / word), queue=queue)
               for word in words}
    for number in range(len(words)):
        until("the next to run", lambda: len(note.lines) == 2 * number + 1)
        (tmp_path / note.lines[-1]).touch()
    for word in words:
        assert results[word].get(timeout=20) == word
    for began, done in zip(note.lines[::2], note.lines[1::2]):
        assert done == f"{began} done"


def test_a_killed_workers_place_comes_back(redis_transport, start_worker, queue, note, gate, tmp_path):
    options = limited(tmp_path, "journey.gate", "max_concurrent = 1")
    first = start_worker(redis_transport, queue, options=["-n", f"one-{queue}@test", *options])
    redis_transport.send("journey.gate", str(note), "lost", gate.path, queue=queue)
    until("it to run", lambda: note.lines == ["lost"])
    first.process.kill()
    until("the worker to be gone", lambda: not first.running)
    start_worker(redis_transport, queue, options=["-n", f"two-{queue}@test", *options])
    until("it to run again", lambda: note.lines == ["lost", "lost"], 60)
    gate.open()


def test_two_workers_together_keep_a_rate(redis_transport, start_worker, queue, note, tmp_path):
    options = limited(tmp_path, "journey.mark", 'rate_limit = "5/s"')
    for name in ("one", "two"):
        start_worker(redis_transport, queue, options=["-n", f"{name}-{queue}@test", *options])
    results = [redis_transport.send("journey.mark", str(note), str(number), queue=queue) for number in range(11)]
    for result in results:
        result.get(timeout=30)
    ends = sorted(result.date_done for result in results)
    seconds = (ends[-1] - ends[0]).total_seconds()
    print(f"11 starts at 5/s by two workers: {seconds:.3f} s")
    assert 1.7 <= seconds <= 10


def test_without_redis_a_global_limit_is_an_error_that_names_the_fix(tmp_path):
    done = command.run(tmp_path, "worker", "-b", "amqp://nowhere.invalid//", "--result-backend", "rpc://",
                       *limited(tmp_path, "journey.mark", "max_concurrent = 1"))
    assert "limit_scope" in done.err and "fix:" in done.err, done
