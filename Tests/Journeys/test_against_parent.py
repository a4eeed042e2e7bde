"""Tasks that turn against their zygote, a host that is starved or killed: who pays is who did it."""
import os
import signal
import subprocess
import time

import billiard.exceptions
import pytest
from conftest import HERE, example
from lab import bundles
from lab.wait import until


# Where the kernel keeps signals in, a task cannot send these; this is how it goes where it cannot, or is not asked to.
SIGNALS = {"TASKHOST_SANDBOX_SIGNALS": "true"}


@pytest.fixture(scope="session")
def against(tmp_path_factory):
    return bundles.build_c(os.path.join(HERE, "..", "RunnerProgram", "bundles", "against_parent.c"),
                           tmp_path_factory.mktemp("against"))


def test_a_killer_of_its_zygote_is_buried_and_its_neighbours_end(redis_transport, start_worker, queue, queues, against):
    worker = start_worker(redis_transport, queue, slots=4, plugins=[against], environment=SIGNALS)
    good = [redis_transport.send("against.wait_for", 1.5, queue=queue) for _ in range(3)]
    killer = redis_transport.send("against.signal_zygote", 9, 0.5, queue=queue)
    more = [redis_transport.send("against.wait_for", 0.1, queue=queue) for _ in range(10)]
    for one in good + more:
        one.get(timeout=60)
    with pytest.raises(billiard.exceptions.WorkerLostError) as raised:
        killer.get(timeout=60)
    assert "zygote" in str(raised.value)
    until("the dead letter", lambda: queues.ready(f"{queue}.dead") == 1)
    letter = queues.get(f"{queue}.dead")
    assert letter.headers["id"] == killer.id and letter.headers["taskhost-dead"]["starts"] == 3
    assert worker.running


def test_a_task_that_stops_its_zygote_is_found_out_and_limits_hold_meanwhile(redis_transport, start_worker, queue,
                                                                            against):
    start_worker(redis_transport, queue, slots=4, plugins=[against], environment=SIGNALS)
    stopper = redis_transport.send("against.signal_zygote", int(signal.SIGSTOP), 0.5, queue=queue)
    limited = redis_transport.send("against.wait_for", 600, queue=queue, time_limit=2)
    with pytest.raises(billiard.exceptions.TimeLimitExceeded):
        limited.get(timeout=60)
    assert redis_transport.send("against.answer", queue=queue).get(timeout=60) == 42
    with pytest.raises(billiard.exceptions.WorkerLostError):
        stopper.get(timeout=120)


def test_nothing_survives_a_killed_host(redis_transport, start_worker, queue, tmp_path):
    worker = start_worker(redis_transport, queue, slots=4, plugins=[example("saboteur")])
    for round in range(3):
        paths = [tmp_path / f"pids-{round}-{number}" for number in range(4)]
        sent = [redis_transport.send("saboteur.spawn", "daemon", 2, str(path), True, queue=queue) for path in paths]
        until("the daemons", lambda: all(path.exists() and path.read_text().count("\n") == 2 for path in paths))
        daemons = [int(word) for path in paths for word in path.read_text().split()]
        os.kill(worker.pid, signal.SIGKILL)
        until("the daemons' end", lambda: not any(alive(pid) for pid in daemons), 15)
        for one in sent:
            one.revoke()
        purge(redis_transport, queue)
        worker.start()
    assert worker.running


def test_too_few_descriptors_cost_slots_and_nothing_else(redis_transport, start_worker, queue, queues):
    worker = start_worker(redis_transport, queue, slots=64, plugins=[example("arithmetic"), example("sleeper")],
                          wrap=["prlimit", "--nofile=600:600"])
    sent = [redis_transport.send("sleeper.sleep", 0.2, queue=queue) for _ in range(100)]
    sent += [redis_transport.send("tasks.add", number, 0, queue=queue) for number in range(100)]
    for one in sent:
        one.get(timeout=60)
    worker.wait_for_log("only 600 files may be open", "slots instead of 64")
    assert not queues.ready(f"{queue}.dead")


def test_a_log_that_nobody_reads_stops_nobody(redis_transport, tmp_path, journey, queue):
    from lab.worker import Worker

    class Unread(Worker):
        def start(self, wait=True):
            self.reading, writing = os.pipe()
            self.started_at = time.monotonic()
            self.process = subprocess.Popen(self.words, env=self.environment, cwd=self.folder,
                                            stdin=subprocess.DEVNULL, stdout=writing, stderr=writing)
            os.close(writing)

        def tail(self, count=40):
            return ""

    worker = Unread(str(tmp_path / "unread"), redis_transport.broker, redis_transport.backend, queue,
                    [example("arithmetic"), journey], slots=4)
    try:
        sent = [redis_transport.send("tasks.add", number, 1, queue=queue) for number in range(1500)]
        assert [one.get(timeout=60) for one in sent] == [number + 1.0 for number in range(1500)]
        os.kill(worker.process.pid, signal.SIGTERM)
        assert worker.process.wait(timeout=30) == 0
    finally:
        worker.process.kill()
        worker.process.wait()
        os.close(worker.reading)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def purge(transport, queue):
    with transport.app.connection_for_write() as connection:
        channel = connection.default_channel
        until("the queue to be empty", lambda: channel.queue_purge(queue) == 0 and not time.sleep(0.2))
