"""Redis over TLS for everything: a stock client and taskhost share broker and results of a rediss:// address."""
import socket
import threading

import celery
import pytest
import redis
from lab import clients, processes, settings
from lab.wait import until
from servers.redis import Redis
from test_events import Ear

UNAVAILABLE, CONFIGURATION, UNHEALTHY = 69, 78, 2
BIG = "0123456789abcdef" * 200_000  # 3.2 MB


def url(base=None, **changes):
    """`changes` add parameters, replace them, or remove them (None)."""
    values = {"ssl_cert_reqs": "required", "ssl_ca_certs": certificate("ca.pem"), **changes}
    query = "&".join(f"{key}={value}" for key, value in values.items() if value is not None)
    return f"{base or settings.server('REDISS_URL')}?{query}"


def certificate(name):
    return f"{settings.server('TLS_DIR')}/{name}"


class Address:
    def __init__(self, one):
        self.broker = self.backend = one


class Encrypted(Address):
    def __init__(self, one):
        super().__init__(one)
        self.app = clients.app(one, one)

    def send(self, name, *args, queue, **options):
        return self.app.send_task(name, args, queue=queue, **options)


@pytest.fixture
def rediss():
    one = Encrypted(url())
    yield one
    one.app.close()


@pytest.fixture
def plain():
    """The same server without TLS, for what a test must change there."""
    client = redis.Redis.from_url(settings.server("REDIS_URL"))
    yield client
    client.config_set("tls-auth-clients", "optional")
    client.close()


@pytest.fixture
def node(queue):
    return f"rediss-{queue}@test"


def connections(client):
    """Of the server's clients, how many came over TLS."""
    port = settings.server("REDISS_URL").rpartition(":")[2].partition("/")[0]
    return sum(one["laddr"].endswith(f":{port}") for one in client.client_list())


def test_tasks_chains_and_chords_of_a_stock_client_run_over_rediss(rediss, start_worker, queue, plain):
    start_worker(rediss, queue)
    assert connections(plain) > 0
    assert rediss.send("tasks.add", 4, 6, queue=queue).get(timeout=20) == 10
    add, total = (lambda *args: rediss.app.signature("tasks.add", args, queue=queue),
                  rediss.app.signature("tasks.sum", queue=queue))
    assert (add(4, 6) | add(2))().get(timeout=20) == 12
    assert celery.chord([add(1, 2), add(3, 4), add(5, 6)])(total).get(timeout=20) == 21
    failing = rediss.send("journey.nobody", queue=queue)
    with pytest.raises(celery.exceptions.NotRegistered):
        failing.get(timeout=20)


def test_remote_control_events_schedules_limits_and_commands_go_over_rediss(rediss, start_worker, queue, node, taskhost,
                                                                            plain, tmp_path):
    config = tmp_path / "all.toml"
    config.write_text(f'[schedules.often-{queue}]\ntask = "tasks.mul"\nargs = [2, 3]\nevery = 1\nqueue = "{queue}"\n'
                      '[tasks."tasks.add"]\nrate_limit = "10/m"\nlimit_scope = "global"\n')
    ear = Ear(rediss.app)
    start_worker(rediss, queue, options=["-n", node, "-E", "-B", "--config", str(config)])
    assert rediss.app.control.ping(destination=[node], timeout=10) == [{node: {"ok": "pong"}}]
    assert node in taskhost("inspect", "ping", "-b", rediss.broker, "-d", node, "--json").expect(0).out
    called = taskhost("call", "tasks.add", 4, 6, "-b", rediss.broker, "-Q", queue, "--wait=20", "--json").expect(0)
    assert called.json["result"] == 10
    ear.wait_for("task-succeeded", called.json["id"])
    assert taskhost("result", called.json["id"], "-b", rediss.broker, "--json").expect(0).json["result"] == 10
    until("a scheduled task", lambda: any(event.get("name") == "tasks.mul" for event in ear.seen))
    ear.close()
    assert plain.exists("taskhost-beat-leader")
    assert plain.keys("taskhost-limit:*tasks.add*")
    checks = taskhost("doctor", "-b", rediss.broker, "--json").json["checks"]
    [found] = [one for one in checks if one["subject"] == "broker" and "rediss://" in one["detail"]]
    assert found["level"] == "ok"


def test_the_doctor_warns_of_a_certificate_that_is_not_checked(taskhost):
    def warnings(address):
        checks = taskhost("doctor", "-b", address, "--json").json["checks"]
        return [one for one in checks if one["level"] == "warn" and "certificate" in one["detail"]]
    assert [one["subject"] for one in warnings(url(ssl_cert_reqs="none"))] == ["broker"]
    assert warnings(url()) == []


def test_bodies_of_some_megabytes_go_both_ways(rediss, start_worker, queue, tmp_path):
    config = tmp_path / "large.toml"
    config.write_text("[limits]\nmax_body_bytes = 16777216\n")
    start_worker(rediss, queue, options=["--config", str(config)])
    results = [rediss.send("journey.echo", BIG + str(number), queue=queue) for number in range(4)]
    assert [one.get(timeout=60) == BIG + str(number) for number, one in enumerate(results)] == [True] * 4


@pytest.mark.parametrize("changes, said", [
    ({"ssl_ca_certs": "other-ca.pem"}, ["not vouched for", "ssl_ca_certs"]),
    ({"ssl_ca_certs": None}, ["not vouched for by the system's authorities", "ssl_ca_certs"]),
    ({"host": "127.0.0.1"}, ["not made out to '127.0.0.1'", "ssl_check_hostname"]),
], ids=["a stranger's authority", "no authority", "another host name"])
def test_a_server_that_is_not_trusted_ends_the_worker_and_commands_with_the_fix(
        start_worker, queue, taskhost, changes, said):
    base = settings.server("REDISS_URL").replace("localhost", changes.pop("host", "localhost"))
    address = url(base, **{key: value and certificate(value) for key, value in changes.items()})
    worker = start_worker(Address(address), queue, wait=False)
    assert worker.wait() == UNAVAILABLE, worker.tail()
    assert worker.said(*said), worker.tail()
    assert not worker.events("ready")
    called = taskhost("call", "tasks.add", 1, 2, "-b", address, "-Q", queue).expect(UNAVAILABLE)
    assert all(word in called.err for word in said), called
    doctor = taskhost("doctor", "-b", address).expect(UNHEALTHY)
    assert all(word in doctor.out for word in said), doctor


def test_a_parameter_that_is_misspelt_is_named(start_worker, queue):
    worker = start_worker(Address(url(ssl_ca_cert="ca.pem")), queue, wait=False)
    assert worker.wait() == CONFIGURATION, worker.tail()
    assert worker.said("ssl_ca_cert is not known") and worker.said("fix", "ssl_ca_certs"), worker.tail()


def test_a_client_certificate_is_shown_where_one_is_required(start_worker, queue, plain):
    plain.config_set("tls-auth-clients", "yes")
    refused = start_worker(Address(url()), queue, wait=False)
    assert refused.wait() == UNAVAILABLE, refused.tail()
    assert refused.said("wants a client certificate", "ssl_certfile"), refused.tail()
    encrypted = Encrypted(url(ssl_certfile=certificate("client.pem"), ssl_keyfile=certificate("client.key")))
    worker = start_worker(encrypted, queue)
    assert encrypted.send("tasks.add", 4, 6, queue=queue).get(timeout=20) == 10
    encrypted.app.close()
    assert worker.stop() == 0


@pytest.fixture
def mortal(tmp_path):
    """A server that may die: kombu's pools, which all tests share, must not be left with connections to a dead one."""
    (tmp_path / "server").mkdir()
    server = Redis(str(tmp_path / "server"))
    server.tls = settings.server("TLS_DIR")
    server.start()
    server.wait_until_ready()
    yield server
    server.close()


def test_a_server_that_dies_is_connected_to_again_and_no_descriptor_is_left(mortal, start_worker, queue):
    address = url(mortal.environment()["TASKHOST_TEST_REDISS_URL"])
    first = Encrypted(address)
    worker = start_worker(first, queue)
    assert first.send("tasks.add", 1, 2, queue=queue).get(timeout=20) == 3
    first.app.close()
    before = processes.descriptors(worker.pid)
    for number in range(3):
        mortal.kill()
        mortal.start()
        mortal.wait_until_ready()
        fresh = Encrypted(address)  # the old client's own connections are Python's affair
        assert fresh.send("tasks.add", number, 2, queue=queue).get(timeout=30) == number + 2
        fresh.app.close()
    until("as many descriptors as before", lambda: processes.descriptors(worker.pid) <= before)
    assert worker.stop() == 0


@pytest.mark.parametrize("answer, said", [(b"-ERR what?\r\n", "does not speak TLS"), (b"", "during the TLS handshake")],
                         ids=["plain words", "a hang-up"])
def test_what_does_not_speak_tls_is_told(taskhost, queue, answer, said):
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(30)

    def serve():
        try:
            while True:
                with listener.accept()[0] as link:
                    link.recv(1024)
                    link.sendall(answer)
        except OSError:
            pass  # closed: the test is over

    threading.Thread(target=serve, daemon=True).start()
    address = url(f"rediss://127.0.0.1:{listener.getsockname()[1]}")
    called = taskhost("call", "tasks.add", 1, 2, "-b", address, "-Q", queue).expect(UNAVAILABLE)
    assert said in called.err, called
    listener.close()


def test_a_port_that_answers_no_handshake_is_told_as_such(start_worker, queue):
    """What speaks plain may wait for the end of a line that never comes."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"rediss://127.0.0.1:{silent.getsockname()[1]}/0"
        worker = start_worker(Address(place), queue, wait=False)
        worker.wait_for("the reason", lambda: worker.said("the TLS handshake got no answer for 3 s", "tls-port"))
        worker.wait_for("the link to be told of", lambda: worker.said(f"Cannot reach {place} yet"))
        assert not worker.said("lost")
        worker.kill()
