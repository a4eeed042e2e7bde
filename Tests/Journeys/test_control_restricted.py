"""Remote control that an operator has narrowed: only to be looked at, or changed by signed commands alone."""
import json
import os
import subprocess
import sys

import pytest
from lab.wait import until
from test_formats import certificate

HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.fixture
def node(queue):
    return f"restricted-{queue}@test"


@pytest.fixture
def ask(redis_transport, node):
    """ask("revoke", task_id=…): the node's reply to an unsigned command."""
    def one(method, **arguments):
        replies = redis_transport.app.control.broadcast(
            method, arguments=arguments, destination=[node], reply=True, timeout=10)
        return replies[0][node]
    return one


@pytest.fixture
def start_node(redis_transport, start_worker, queue, node, tmp_path):
    def start(configuration):
        file = tmp_path / "restricted.toml"
        file.write_text(configuration)
        return start_worker(redis_transport, queue, slots=1, options=["-n", node, "--config", str(file)])
    return start


def test_a_worker_that_is_only_to_be_looked_at_refuses_changes_by_the_settings_name(
        redis_transport, start_node, ask, queue, note, gate):
    worker = start_node("[control]\nread_only = true\n")
    running = redis_transport.send("journey.gate", str(note), "first", gate.path, queue=queue)
    until("it to run", lambda: note.lines == ["first"])
    for method, arguments in [
            ("revoke", {"task_id": running.id, "terminate": True, "signal": "KILL"}), ("pool_grow", {}),
            ("rate_limit", {"task_name": "tasks.add", "rate_limit": "1/m"}), ("cancel_consumer", {"queue": queue}),
            ("enable_events", {}), ("shutdown", {})]:
        assert ask(method, **arguments) == {"error": (
            f"PermissionError('{method}: this worker is only to be looked at ([control] read_only)')")}
    assert [task["id"] for task in ask("active")] == [running.id]
    assert ask("stats")["pool"]["max-concurrency"] == 1 and ask("revoked") == []
    assert [one["name"] for one in ask("active_queues")] == [queue]
    gate.open()
    assert running.get(timeout=30) == "first" and worker.running


def test_changes_need_a_known_signature_and_looking_needs_none(
        redis_transport, start_node, ask, taskhost, tmp_path, node):
    key, cert = certificate(tmp_path, "host")
    client_key, client_cert = certificate(tmp_path, "client")
    (tmp_path / "stranger").mkdir()
    stranger_key, stranger_cert = certificate(tmp_path / "stranger", "stranger")
    configuration = (f'[control]\nrequire_signed = true\n[security]\ncert_store = "{tmp_path}/store"\n'
                     f'key = "{key}"\ncertificate = "{cert}"\n')
    worker = start_node(configuration)

    def signed(method, arguments, key=client_key, cert=client_cert):
        told = subprocess.run(
            [sys.executable, os.path.join(HERE, "signing_control.py"), redis_transport.broker, key, cert,
             str(tmp_path / "store"), node, method, json.dumps(arguments)], capture_output=True, text=True, timeout=60)
        assert told.returncode == 0, told.stderr + worker.tail()
        return json.loads(told.stdout)

    assert ask("ping") == {"ok": "pong"}
    refused = ask("revoke", task_id="x1")["error"]
    assert refused == "PermissionError('revoke: only signed commands change this worker ([control] require_signed)')"
    assert signed("revoke", {"task_id": "x1"}) == [{node: {"ok": "tasks {'x1'} flagged as revoked"}}]
    # A stranger's signature is not answered; a client has to wait in vain, so this one doesn't.
    stranger = subprocess.Popen(
        [sys.executable, os.path.join(HERE, "signing_control.py"), redis_transport.broker, stranger_key, stranger_cert,
         str(tmp_path / "stranger/store"), node, "revoke", '{"task_id": "x2"}'], stdout=subprocess.DEVNULL)
    try:
        worker.wait_for_log("of whom there is no certificate")
    finally:
        stranger.kill()
        stranger.wait()
    assert ask("revoked") == ["x1"]

    # Our own command line signs when its configuration says so.
    ours = tmp_path / "ours.toml"
    ours.write_text(configuration)
    words = ["control", "pool_grow", "2", "-d", node, "-t", "10", "--json", "-b", redis_transport.broker]
    assert "require_signed" in taskhost(*words).expect(1).out
    assert taskhost(*words, "--config", str(ours)).json == {node: {"ok": "pool will grow"}}
    assert ask("stats")["pool"]["max-concurrency"] == 3
