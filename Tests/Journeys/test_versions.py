"""What differs between versions of RabbitMQ, on whichever the tests run: `make modern` runs them on newer ones."""
import subprocess
import uuid

from lab import settings
from lab.wait import until


def rabbitmqctl(*words):
    return subprocess.run([settings.server("RABBITMQCTL"), "-q", *words], check=True, capture_output=True, text=True,
                          timeout=180).stdout.strip()


def messages(queue):
    """Waiting or held."""
    rows = (line.split("\t") for line in rabbitmqctl("list_queues", "--no-table-headers", "name", "messages").splitlines())
    return {name: int(count) for name, count in rows}.get(queue)


def test_a_quorum_queue_with_max_priority_serves_by_priority_or_is_refused_with_the_fix(
        redis_transport, start_worker, queues, note, gate, tmp_path):
    name = f"q-{uuid.uuid4().hex[:8]}"
    queues.made += [name, f"{name}.dead"]
    settings_file = tmp_path / "taskhost.toml"
    settings_file.write_text(f'[queues.{name}]\ntype = "quorum"\nmax_priority = 9\n')
    worker = start_worker(redis_transport, name, slots=1, wait=False, options=("--config", str(settings_file)))
    if queues.version < (4, 0):
        assert worker.wait() == 69
        assert worker.said("x-max-priority", "Leave max_priority out"), worker.tail()
        return
    worker.wait_until_ready()
    worker.wait_for_log("declared without x-max-priority")
    redis_transport.app.conf.task_create_missing_queue_type = "quorum"
    held = redis_transport.send("journey.gate", str(note), "held", gate.path, queue=name)
    until("it to run", lambda: note.lines == ["held"])
    sent = [redis_transport.send("journey.mark", str(note), f"p{priority}", queue=name, priority=priority)
            for priority in (0, 9, 0, 9, 0, 9, 0, 9)]
    until("all to be there", lambda: messages(name) == len(sent) + 1)
    gate.open()
    assert held.get(timeout=30) == "held"
    for one in sent:
        one.get(timeout=30)
    ranks = [line for line in note.lines if line.startswith("p")]
    # Before 4.3 two of three are of the higher ones; what the worker had taken before comes first.
    assert sum(place for place, line in enumerate(ranks) if line == "p9") < sum(
        place for place, line in enumerate(ranks) if line == "p0"), ranks
