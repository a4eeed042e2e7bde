"""The socket of each host: remote control without a broker."""
import json
import os
import signal
import socket
import stat
import subprocess

import pytest
from conftest import Transport
from lab import amqp, settings
from lab.wait import until


@pytest.fixture
def rabbitmq_down():
    """Ends RabbitMQ when it is called; at the end it is there again."""
    def end():
        with open(settings.server("RABBITMQ_PIDFILE")) as file:
            os.kill(int(file.read()), signal.SIGKILL)
    yield end
    subprocess.run([settings.server("RABBITMQ_RESTART")], check=True, timeout=90)


def test_without_its_broker_a_worker_is_still_looked_at_and_told_what_to_do(start_worker, taskhost, rabbitmq_down, note):
    queues = amqp.Queues()
    queue = queues.new()
    transport = Transport("redis")
    node = f"cut-off-{queue}@test"
    worker = start_worker(transport, queue, options=["-n", node], slots=2)
    kept, ended = (transport.send("journey.gate", str(note), word, str(note) + ".never", queue=queue)
                   for word in ("kept", "ended"))
    until("both to run", lambda: sorted(note.lines) == ["ended", "kept"])
    rabbitmq_down()
    worker.wait_for("the worker to notice", lambda: worker.said("lost"))

    active = taskhost("inspect", "active", "--local", "--json").expect(0).json[node]
    assert {one["id"] for one in active} == {kept.id, ended.id}
    assert node in taskhost("status", "--local").expect(0).out
    done = taskhost("control", "terminate", "SIGKILL", ended.id, "--local", "--json").expect(0)
    assert done.json == {node: {"ok": f"terminate: {ended.id}"}}
    until("its end to be stored", lambda: transport.app.AsyncResult(ended.id).state == "REVOKED")
    active = taskhost("inspect", "active", "--local", "--json").json[node]
    assert [one["id"] for one in active] == [kept.id]
    taskhost("control", "revoke", kept.id, "never-seen", "--local").expect(0)
    assert taskhost("inspect", "revoked", "--local", "--json").json == {node: [ended.id, kept.id, "never-seen"]}
    taskhost("control", "terminate", "SIGKILL", kept.id, "--local").expect(0)
    until("the other's end", lambda: transport.app.AsyncResult(kept.id).state == "REVOKED")
    transport.app.close()


def sockets(folder):
    return [str(path) for path in (folder / "taskhost").glob("*.sock")]


def test_sockets_are_this_users_and_dead_ones_are_cleared_away(embedded, start_worker, taskhost, queues, run_folder):
    first = start_worker(embedded, queues.new(), options=["-n", "first@test"])
    [path] = sockets(run_folder)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600 and stat.S_IMODE(os.stat(run_folder / "taskhost").st_mode) == 0o700
    first.kill()
    assert sockets(run_folder) == [path], "a killed host leaves it behind"
    assert taskhost("status", "--local").status == 69
    start_worker(embedded, queues.new(), options=["-n", "second@test"])
    [path] = sockets(run_folder)
    elsewhere = str(run_folder / "third.sock")
    third = start_worker(embedded, queues.new(), options=["-n", "second@test", "--socket", elsewhere])
    unseen = start_worker(embedded, queues.new(), options=["-n", "unseen@test", "--socket", "none"])

    assert list(taskhost("inspect", "ping", "--local", "--json").json) == ["second@test"]
    assert list(taskhost("inspect", "stats", "--socket", elsewhere, "--json").json) == ["second@test"]
    both = taskhost("inspect", "stats", "--socket", elsewhere, "--socket", path, "--json").json
    # Of one name: told apart by their pids.
    assert {one["pid"] for one in both.values()} >= {third.pid} and len(both) == 2
    refused = taskhost("inspect", "ping", "--socket", str(run_folder / "nobody.sock")).expect(69)
    assert "no host listens" in refused.err and "--local" in refused.err
    third.stop()
    assert not os.path.exists(elsewhere) and unseen.running


def test_a_worker_is_told_to_stop_over_its_socket(embedded, start_worker, taskhost, queue):
    worker = start_worker(embedded, queue, options=["-n", "leaving@test"])
    taskhost("control", "shutdown", "--local").expect(0)
    assert worker.wait() == 0


def test_any_program_can_speak_to_the_socket(embedded, start_worker, run_folder, queue, monkeypatch):
    start_worker(embedded, queue, options=["-n", "plain@test", "--heartbeat-interval", "0.1"])
    [path] = sockets(run_folder)
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(15)
        monkeypatch.chdir(os.path.dirname(path))  # Python takes no path of more than 107 bytes.
        line.connect(os.path.basename(path))
        lines = line.makefile("rw")
        greeting = json.loads(lines.readline())
        assert greeting["node"] == "plain@test" and greeting["broker"] == embedded.broker and greeting["taskhost"]

        def ask(text):
            lines.write(text + "\n")
            lines.flush()
            return json.loads(lines.readline())
        assert ask('{"method": "ping", "ticket": "1"}') == {"ticket": "1", "reply": {"plain@test": {"ok": "pong"}}}
        assert ask('{"method": "nosuch"}')["reply"] == {"plain@test": {"error": "KeyError('nosuch')"}}
        assert "error" in ask("nonsense")["reply"]
        assert ask('{"events": true}')["events"]["type"] == "worker-heartbeat"
