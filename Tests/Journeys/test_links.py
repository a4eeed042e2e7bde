"""The way to the broker: lost, encrypted, forged."""
import os
import signal
import subprocess

import pytest
from conftest import OnRedis, Transport
from lab import amqp, settings
from lab.proxy import Proxy
from lab.wait import until


def end_rabbitmq():
    with open(settings.server("RABBITMQ_PIDFILE")) as file:
        os.kill(int(file.read()), signal.SIGKILL)


def restart_rabbitmq():
    subprocess.run([settings.server("RABBITMQ_RESTART")], check=True, timeout=90)


def test_a_worker_recovers_when_the_broker_comes_back(start_worker, note, gate):
    queues = amqp.Queues()
    queue = queues.new()
    transport = Transport("redis")
    worker = start_worker(transport, queue, slots=2)
    running = transport.send("journey.gate", str(note), "running", gate.path, queue=queue)
    until("the task to run", lambda: note.lines == ["running"])
    end_rabbitmq()
    try:
        worker.wait_for("the worker to notice", lambda: worker.said("retry") or worker.said("lost"))
        gate.open()
    finally:
        restart_rabbitmq()
    transport.app.close()
    again = Transport("redis")
    assert again.app.send_task("tasks.add", (4, 6), queue=queue).get(timeout=30) == 10.0
    assert again.app.AsyncResult(running.id).get(timeout=30) == "running"
    assert worker.running
    amqp.Queues().close()


def test_a_paused_queue_stays_paused_when_the_broker_comes_back(start_worker, taskhost, note):
    queue = amqp.Queues().new()
    transport = Transport("redis")
    worker = start_worker(transport, queue, slots=2)
    done = taskhost("control", "pause_queue", queue, "--local").expect(0).out
    assert f"paused {queue}" in done
    end_rabbitmq()
    try:
        worker.wait_for("the worker to notice", lambda: worker.said("lost"))
    finally:
        restart_rabbitmq()
    transport.app.close()
    again = Transport("redis")
    until("the worker to be connected again", lambda: sum("onnected to" in line.get("message", "")
                                                          for line in worker.log()) == 2, 30)
    task = again.app.send_task("journey.mark", (str(note), "once"), queue=queue)
    # A message that another queue's consumer would have got long ago.
    assert again.app.send_task("journey.mark", (str(note), "other"), queue=other_queue(taskhost, queue)).get(timeout=30)
    assert note.lines == ["other"]
    taskhost("control", "resume_queue", queue, "--local").expect(0)
    task.get(timeout=30)
    assert note.lines == ["other", "once"]
    again.app.close()
    amqp.Queues().close()


def other_queue(taskhost, queue):
    taskhost("control", "add_consumer", f"{queue}-other", "--local").expect(0)
    return f"{queue}-other"


def tls(**changes):
    folder = settings.server("TLS_DIR")
    values = {"cacertfile": f"{folder}/ca.pem", **changes}
    return settings.server("AMQPS_URL") + "?" + "&".join(f"{key}={value}" for key, value in values.items() if value)


class Encrypted:
    def __init__(self, broker):
        self.broker, self.backend = broker, settings.server("REDIS_URL")


@pytest.mark.not_postgresql("it is about AMQP")
def test_amqps_with_a_client_certificate_works(redis_transport, start_worker, queue):
    folder = settings.server("TLS_DIR")
    worker = start_worker(Encrypted(tls(certfile=f"{folder}/client.pem", keyfile=f"{folder}/client.key")), queue)
    assert redis_transport.send("tasks.add", 4, 6, queue=queue).get(timeout=30) == 10.0
    assert worker.running


@pytest.mark.parametrize("what", ["a stranger's authority", "another host name"])
def test_amqps_refuses(start_worker, queue, what):
    if what == "another host name":
        url = tls().replace("localhost", "127.0.0.1")
    else:
        url = tls(cacertfile=f"{settings.server('TLS_DIR')}/other-ca.pem")
    worker = start_worker(Encrypted(url), queue, wait=False)
    until("a refusal in the log", lambda: worker.said("certificate") or worker.said("verif") or worker.said("hostname"))
    assert not worker.events("ready")


def test_a_wrong_password_is_said_clearly_and_never_shown(start_worker, queue):
    broker = settings.server("AMQP_URL").replace("guest:guest", "guest:sesame")
    worker = start_worker(Encrypted(broker), queue, wait=False)
    until("the refusal in the log", lambda: worker.said("efused") or worker.said("denied"))
    assert not worker.said("sesame")


def test_a_broker_that_is_not_there_yet_is_told_as_such_and_then_as_connected(start_worker, queue):
    way = Proxy(settings.server("REDIS_URL"))
    way.cut("refused")
    road = OnRedis()
    road.broker = way.url
    worker = start_worker(road, queue, wait=False)
    worker.wait_for("the reason", lambda: worker.said(f"Cannot reach {way.url} yet: Connection refused. Trying again"))
    assert not worker.said("lost")
    way.mend()
    worker.wait_for("the link", lambda: worker.said(f"Connected to {way.url}"))
    worker.stop()
    way.close()
