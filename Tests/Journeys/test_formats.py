"""Every serializer and compression a stock client can choose, both ways, and signed messages."""
import itertools
import json
import os
import subprocess
import sys

import pytest
from kombu import Connection, Queue
from lab import clients, settings
from lab.wait import until

HERE = os.path.dirname(os.path.abspath(__file__))
SERIALIZERS = ["json", "msgpack", "yaml"]
COMPRESSIONS = [None, "zlib", "bzip2", "lzma", "brotli", "zstd"]


def accepting(*names):
    return {"TASKHOST_ACCEPT_CONTENT": ",".join(names)}


def test_every_serializer_in_every_compression_reaches_a_typed_task(transport, start_worker, queue):
    start_worker(transport, queue, environment=accepting(*SERIALIZERS))
    sent = []
    for number, (serializer, compression) in enumerate(itertools.product(SERIALIZERS, COMPRESSIONS)):
        sent.append((number, transport.app.send_task(
            "tasks.add", (number, 0.5), queue=queue, serializer=serializer, compression=compression)))
    assert [result.get(timeout=20) for _, result in sent] == [number + 0.5 for number, _ in sent]


@pytest.mark.parametrize("serializer, compression", [("msgpack", "zstd"), ("yaml", "bzip2"), ("json", "brotli")])
def test_a_chain_goes_on_in_the_serializer_and_compression_it_came_in(
        redis_transport, start_worker, queue, queues, serializer, compression):
    start_worker(redis_transport, queue, environment=accepting(*SERIALIZERS))
    elsewhere = queues.new()
    app = redis_transport.app
    # A plain map: PyYAML refuses Celery's signatures, which are maps of a class of their own.
    following = {"task": "tasks.add", "args": [1], "kwargs": {}, "options": {"queue": elsewhere},
                 "subtask_type": None, "immutable": False}
    app.send_task("tasks.add", (4, 6), queue=queue, chain=[following], serializer=serializer, compression=compression)
    with Connection(redis_transport.broker) as connection:
        waiting = Queue(elsewhere)(connection.default_channel)
        message = until("the next step", lambda: waiting.get(no_ack=True, accept=[serializer]), 15)
        assert message.headers["compression"] == {
            "zstd": "application/zstd", "bzip2": "application/x-bz2", "brotli": "application/x-brotli"}[compression]
        assert message.content_type.endswith(serializer)
        assert message.decode()[0] == [10.0, 1]


def test_what_is_not_accepted_is_refused_by_name(redis_transport, start_worker, queue):
    worker = start_worker(redis_transport, queue)
    app = redis_transport.app
    app.send_task("tasks.add", (1, 2), queue=queue, serializer="msgpack")
    worker.wait_for_log("Refusing to deserialize untrusted content of type msgpack")
    app.send_task("tasks.add", (1, 2), queue=queue, serializer="pickle")
    worker.wait_for_log("type pickle", "task_serializer = 'json'")
    assert app.send_task("tasks.add", (1, 2), queue=queue).get(timeout=30) == 3.0


def test_a_bomb_is_refused_and_the_host_lives_on(redis_transport, start_worker, queue):
    worker = start_worker(redis_transport, queue)
    app = redis_transport.app
    app.send_task("tasks.add", (" " * (64 << 20), 2), queue=queue, compression="bzip2")
    worker.wait_for_log("Can't decode message body", "when decompressed")
    assert app.send_task("tasks.add", (1, 2), queue=queue, compression="zstd").get(timeout=30) == 3.0


def certificate(folder, name):
    """A key, and the certificate that it made of itself."""
    key, cert = os.path.join(folder, f"{name}.key"), os.path.join(folder, "store", f"{name}.pem")
    os.makedirs(os.path.dirname(cert), exist_ok=True)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/O=Acme/CN={name}",
         "-keyout", key, "-out", cert], check=True, capture_output=True)
    return key, cert


def test_signed_messages_are_verified_and_made_as_celery_does(redis_transport, start_worker, queue, queues, tmp_path):
    key, cert = certificate(tmp_path, "host")
    client_key, client_cert = certificate(tmp_path, "client")
    configuration = tmp_path / "signed.toml"
    configuration.write_text(
        '[wire]\naccept_content = ["auth"]\n[security]\n'
        f'cert_store = "{tmp_path}/store"\nkey = "{key}"\ncertificate = "{cert}"\n')
    worker = start_worker(redis_transport, queue, options=["--config", str(configuration)])
    told = subprocess.run(
        [sys.executable, os.path.join(HERE, "signing_client.py"), redis_transport.broker, redis_transport.backend,
         client_key, client_cert, str(tmp_path / "store"), queue, queues.new()],
        capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stderr + worker.tail()
    assert json.loads(told.stdout) == {"result": 10.0, "next": [10.0, 1], "type": "application/data"}
    redis_transport.app.send_task("tasks.add", (1, 2), queue=queue)
    worker.wait_for_log("Refusing to deserialize untrusted content of type json")


@pytest.mark.parametrize("serializer, compression", [("msgpack", "zstd"), ("yaml", "zlib"), ("json", "lzma")])
@pytest.mark.not_postgresql("it looks into Redis")
def test_results_are_stored_as_the_shop_stores_them(
        redis_transport, start_worker, queue, tmp_path, serializer, compression):
    configuration = tmp_path / "results.toml"
    configuration.write_text(f'[results]\nserializer = "{serializer}"\ncompression = "{compression}"\n')
    start_worker(redis_transport, queue, options=["--config", str(configuration)])
    app = clients.app(redis_transport.broker, redis_transport.backend, result_serializer=serializer,
                      result_accept_content=[serializer])
    result = app.send_task("tasks.add", (4, 6), queue=queue)
    assert result.get(timeout=30) == 10.0
    assert app.backend.client.get(f"celery-task-meta-{result.id}").startswith(b"\0celery-compressed\0")
    with pytest.raises(TypeError, match="missing 1 required"):
        app.send_task("tasks.add", (4,), queue=queue).get(timeout=30)
    app.close()


def test_results_over_rpc_name_their_serializer(start_worker, queue, tmp_path):
    transport = Rpc()
    configuration = tmp_path / "results.toml"
    configuration.write_text('[results]\nserializer = "msgpack"\n')
    start_worker(transport, queue, options=["--config", str(configuration)])
    app = clients.app(transport.broker, transport.backend, result_serializer="msgpack",
                      result_accept_content=["msgpack"])
    assert app.send_task("tasks.add", (4, 6), queue=queue).get(timeout=30) == 10.0
    app.close()


class Rpc:
    """A broker that carries the results, too."""

    def __init__(self):
        self.broker, self.backend = settings.server("AMQP_URL"), "rpc://"
