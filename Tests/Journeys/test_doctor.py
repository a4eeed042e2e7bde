"""`taskhost doctor`: each wrong setup is named with its fix, and a good one is not complained about."""
import base64
import email.utils
import http.server
import json
import os
import shutil
import subprocess
import threading
import time

import pytest
import redis
from conftest import HERE, example
from lab import bundles, settings

FAILED = 2


@pytest.fixture
def plugins(tmp_path):
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o755)
    shutil.copy(example("arithmetic"), folder)
    return folder


@pytest.fixture
def doctor(taskhost, plugins):
    """doctor("-b", …): its answer, asked for with a hard limit that suits every broker."""
    def ask(*words, status=0, limit=60, **how):
        # RabbitMQ's own tool, which it may ask several times, takes its time on a busy machine.
        how.setdefault("seconds", 240)
        done = taskhost("doctor", "--json", "--plugins", plugins, "--time-limit", limit, *words, **how).expect(status)
        return Answer(done.json)
    return ask


class Answer:
    def __init__(self, told):
        self.checks, self.counts = told["checks"], told["counts"]
        self.settings = {one["name"]: one for one in told["settings"]}

    def found(self, level, subject, *words):
        """The one finding of this level that holds all the words; it must name a fix unless nothing is wrong."""
        hits = [one for one in self.checks if (one["level"], one["subject"]) == (level, subject)
                and all(word in one["detail"] for word in words)]
        assert len(hits) == 1, f"{len(hits)} × {level} {subject} {words} in {self.checks}"
        assert hits[0]["fix"] or level in ("ok", "note"), hits[0]
        return hits[0]

    def is_good(self):
        assert self.counts["warn"] == self.counts["fail"] == 0, self.checks


@pytest.mark.parametrize("url, library, package", [
    ("postgresql://tester@127.0.0.1:1/celery", "libpq.so.5", "libpq5"),
    ("mysql://tester@127.0.0.1:1/celery", "libmariadb.so.3", "libmariadb3")])
def test_a_client_library_that_cannot_be_loaded_is_named_with_its_package(doctor, tmp_path, url, library, package):
    broken = tmp_path / "libraries"
    broken.mkdir()
    (broken / library).touch()  # found first, and no library
    told = doctor("-b", f"sqlite://{tmp_path}/t.db", "--result-backend", url, status=FAILED,
                  environment={"LD_LIBRARY_PATH": str(broken)})
    assert package in told.found("fail", "results", library)["fix"]


def rabbitmqctl(*words):
    return subprocess.run([settings.server("RABBITMQCTL"), *words], check=True, capture_output=True, text=True,
                          timeout=180).stdout.strip()


@pytest.fixture
def rabbit():
    return ["-b", settings.server("AMQP_URL"), "--rabbitmqctl", settings.server("RABBITMQCTL")]


@pytest.fixture
def keyspace():
    """Redis, with what a test sets put back."""
    client = redis.Redis.from_url(settings.server("REDIS_URL"))
    before = {key: client.config_get(key)[key] for key in ("maxmemory", "maxmemory-policy", "appendonly")}
    client.config_set("appendonly", "yes")
    yield client
    for key, value in before.items():
        client.config_set(key, value)
    client.close()


@pytest.fixture
def replicated(queues):
    """A quorum queue: one that every RabbitMQ takes away from who holds a message too long."""
    return queues.new(queue_type="quorum")


def test_good_setups_are_not_complained_about(doctor, rabbit, replicated, tmp_path, keyspace):
    answer = doctor(*rabbit, "-Q", replicated)
    answer.is_good()
    answer.found("ok", "broker", "RabbitMQ")
    answer.found("ok", "limits", "1800")
    answer.found("ok", "bundle arithmetic.so")
    answer = doctor("-b", settings.server("REDIS_URL"))
    answer.is_good()
    answer.found("ok", "clock")
    answer.found("ok", "broker", "noeviction")
    doctor("-b", f"sqlite://{tmp_path}/new/broker.db").is_good()
    assert not os.path.exists(tmp_path / "new"), "looking must make nothing"


def test_every_setting_is_told_with_its_origin_and_without_secrets(doctor, tmp_path):
    (tmp_path / "taskhost.toml").write_text('[results]\nurl = "redis://:hunter2@127.0.0.1:1/0"\n\n'
                                            '[schedules.nightly]\ntask = "tasks.add"\nevery = 60\n'
                                            'kwargs = { token = "hunter3" }\n')
    answer = doctor("-c", "3", status=FAILED, environment={"CELERY_BROKER_URL": "amqp://me:hunter4@127.0.0.1:1//"})
    told = answer.settings
    assert told["worker.concurrency"] == {"name": "worker.concurrency", "value": "3", "origin": "--concurrency"}
    assert told["broker.url"]["origin"] == "CELERY_BROKER_URL" and "me:***@" in told["broker.url"]["value"]
    assert told["results.url"]["origin"] == "taskhost.toml:2:1" and "***" in told["results.url"]["value"]
    assert told["worker.grace"] == {"name": "worker.grace", "value": "30", "origin": "default"}
    assert told["schedules.nightly.every"]["value"] == "60"
    assert "hunter" not in str(told) + str(answer.checks)
    answer.found("warn", "settings", "read by others")


@pytest.mark.parametrize("url", ["amqp://guest:guest@127.0.0.1:1//", "redis://127.0.0.1:1/0"])
def test_a_broker_that_cannot_be_reached_is_named(doctor, url):
    doctor("-b", url, "--result-backend", "none", status=FAILED).found("fail", "broker", "127.0.0.1:1")


def test_a_queue_declared_otherwise_is_named(doctor, rabbit, queues, tmp_path):
    limited = queues.new(max_priority=5, dead_letter_exchange="nobody.declared.this")
    losing = queues.new(message_ttl=60000, max_length=10)
    replicated = queues.new(queue_type="quorum")
    (tmp_path / "taskhost.toml").write_text(f'[queues.{limited}]\nmax_priority = 9\n')
    answer = doctor(*rabbit, "-Q", f"{limited},{losing},{replicated},missing-{limited}", status=FAILED)
    hit = answer.found("warn", f"queue {limited}", "x-max-priority is 5, not 9")
    assert f"[queues.{limited}]" in hit["fix"]
    answer.found("fail", f"queue {limited}", "nobody.declared.this", "does not exist")
    answer.found("warn", f"queue {losing}", "x-message-ttl and x-max-length", "no dead-letter exchange")
    answer.found("ok", f"queue {replicated}", "quorum")
    if queues.version >= (4, 0):
        answer.found("note", f"queue {replicated}", "20 deliveries")
    answer.found("ok", f"queue missing-{limited}", "not there yet")
    assert queues.ready(f"missing-{limited}") is None, "looking must declare nothing"


def test_a_quorum_queue_of_the_type_asked_for_is_no_difference_and_a_stream_is_a_failure(
        doctor, rabbit, replicated, queues, tmp_path):
    stream = queues.new(queue_type="stream")
    missing = f"missing-{replicated}"
    (tmp_path / "taskhost.toml").write_text(f'[queues.{replicated}]\ntype = "quorum"\nmax_priority = 9\n\n'
                                            f'[queues.{missing}]\ntype = "quorum"\nmax_priority = 9\n')
    answer = doctor(*rabbit, "-Q", f"{replicated},{stream},{missing}", status=FAILED)
    answer.found("fail", f"queue {stream}", "is a stream")
    if queues.version >= (4, 0):
        answer.found("ok", f"queue {replicated}", "quorum queue")
        answer.found("note", f"queue {replicated}", "priorities by itself")
        answer.found("note", f"queue {missing}", "priorities by itself")
    else:
        answer.found("warn", f"queue {replicated}", "no priorities in one")
        answer.found("fail", f"queue {missing}", "refuse to start")


def test_a_policy_is_named(doctor, rabbit, queues, queue):
    # RabbitMQ 4 has no mirroring, and refuses such a policy.
    mirrored = queues.version < (4, 0)
    definition = {"max-length": 10, **({"ha-mode": "all"} if mirrored else {})}
    rabbitmqctl("set_policy", queue, f"^{queue}$", json.dumps(definition), "--apply-to", "queues")
    try:
        answer = doctor(*rabbit, "-Q", queue)
        answer.found("warn", f"queue {queue}", "max-length")
        if mirrored:
            assert "quorum" in answer.found("warn", f"queue {queue}", "mirrored")["fix"]
    finally:
        rabbitmqctl("clear_policy", queue)


def test_a_consumer_timeout_below_the_hard_limits_is_named(doctor, rabbit, replicated, queues, queue):
    before = rabbitmqctl("-q", "eval", "application:get_env(rabbit, consumer_timeout, undefined).")
    rabbitmqctl("eval", "application:set_env(rabbit, consumer_timeout, 90000).")
    try:
        hit = doctor(*rabbit, "-Q", replicated, limit=80, status=FAILED).found("fail", "limits", "90 s", "tasks.add")
        assert "consumer_timeout" in hit["fix"]
        if queues.version >= (4, 3):
            doctor(*rabbit, "-Q", queue, limit=80).found("ok", "limits", "no consumer_timeout")
    finally:
        rabbitmqctl("eval", f"application:set_env(rabbit, consumer_timeout, {before}).")


def test_what_amqp_does_not_tell_is_said_to_be_unknown(doctor, replicated):
    answer = doctor("-b", settings.server("AMQP_URL"), "-Q", replicated)
    answer.is_good()
    assert "--rabbitmqctl" in answer.found("note", "broker", "consumer_timeout", "unknown")["fix"]
    assert "management_url" in answer.found("note", "broker", "policies", "unknown")["fix"]
    answer = doctor("-b", settings.server("AMQP_URL"), "-Q", replicated, limit=0)
    answer.found("warn", "limits", "no hard limit", "1800 s, if it is the default")


class Management(http.server.ThreadingHTTPServer):
    """Answers as RabbitMQ 3.10's management API does about a queue."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), ManagementHandler)
        self.queues = {}
        self.clock_ahead = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, user="guest:guest"):
        return f"http://{user}@127.0.0.1:{self.server_port}/"


class ManagementHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        allowed = self.headers["Authorization"] == "Basic " + base64.b64encode(b"guest:guest").decode()
        found = self.server.queues.get(self.path)
        status, answer = (200, found) if allowed and found else (404, {}) if allowed else (401, {})
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp=None):
        return email.utils.formatdate((timestamp or time.time()) + self.server.clock_ahead, usegmt=True)

    def log_message(self, *_):
        pass


@pytest.fixture
def management():
    one = Management()
    yield one
    one.shutdown()
    one.server_close()


def test_the_management_api_is_asked_for_policies(doctor, management, queues):
    plain, mirrored, losing = queues.new(), queues.new(), queues.new(queue_type="quorum")
    for name, definition in ((mirrored, {"ha-mode": "all", "max-length": 10}), (losing, {"message-ttl": 60000,
                                                                        "consumer-timeout": 30000})):
        management.queues[f"/api/queues/%2F/{name}"] = {
            "name": name, "vhost": "/", "policy": f"p-{name}", "operator_policy": None, "arguments": {},
            "effective_policy_definition": definition}
    management.queues[f"/api/queues/%2F/{plain}"] = {
        "name": plain, "vhost": "/", "policy": None, "operator_policy": None, "arguments": {},
        "effective_policy_definition": {}}
    where = ["-b", settings.server("AMQP_URL"), "-Q", f"{plain},{mirrored},{losing}"]
    answer = doctor(*where, status=FAILED, environment={"TASKHOST_MANAGEMENT_URL": management.url()})
    answer.found("ok", f"queue {plain}", "classic")
    answer.found("warn", f"queue {mirrored}", f"p-{mirrored}", "mirrored")
    answer.found("warn", f"queue {mirrored}", "max-length")
    answer.found("warn", f"queue {losing}", f"p-{losing}", "message-ttl")
    answer.found("fail", f"limits of {losing}", "30 s")
    assert not any("policies" in one["detail"] for one in answer.checks)
    assert "***" in answer.settings["broker.management_url"]["value"]
    refused = doctor(*where, environment={"TASKHOST_MANAGEMENT_URL": management.url("guest:wrong")})
    refused.found("note", "broker", "policies are unknown", "monitoring")


def test_a_clock_of_rabbitmqs_that_differs_is_named(doctor, management, queue, tmp_path):
    where = ["-b", settings.server("AMQP_URL"), "-Q", queue]
    told = {"environment": {"TASKHOST_MANAGEMENT_URL": management.url()}}
    doctor(*where, **told).found("ok", "clock", "RabbitMQ")
    management.clock_ahead = 30
    hit = doctor(*where, **told).found("warn", "clock", "ahead of ours")
    assert "time server" in hit["fix"]
    # Its own tool tells as well, where there is no management.
    tool = tmp_path / "tool"
    tool.write_text('#!/bin/sh\ncase "$*" in *system_time*) echo $(( ($(date +%s) - 45) * 1000 ));;\n'
                    f'*) exec {settings.server("RABBITMQCTL")} "$@";; esac\n')
    tool.chmod(0o755)
    doctor(*where, "--rabbitmqctl", tool).found("warn", "clock", "behind ours")


def test_memory_limits_that_exceed_what_there_is_are_named(doctor, tmp_path):
    where = ["-b", f"sqlite://{tmp_path}/broker.db", "-c", "4"]
    doctor(*where, "--memory-limit", "1").found("ok", "memory", "4 slots keep to it")
    hit = doctor(*where, "--memory-limit", 1 << 24).found("warn", "memory", f"4 slots may use {1 << 26} MiB")
    assert "memory_limit" in hit["fix"]


def test_schedules_that_bundles_bring_are_looked_at(doctor, plugins, tmp_path):
    def build(name, file, **defines):
        words = {"NAME": name, "QUEUE": "periodic", **defines}
        built = bundles.build_c(os.path.join(HERE, "bundles", "periodic.c"), tmp_path,
                                [f'{key}="{value}"' for key, value in words.items()])
        os.rename(built, plugins / file)

    where = ["-b", f"sqlite://{tmp_path}/broker.db"]
    build("files", "files.so")
    doctor(*where).found("ok", "schedules", "3, of which bundles bring 3")
    build("wrong", "wrong.so", CRON="30 25 * * *")
    answer = doctor(*where, status=FAILED)
    answer.found("fail", "bundle wrong.so", "schedule wrong.nightly, cron: the hour cannot be 25")
    os.remove(plugins / "wrong.so")
    (tmp_path / "taskhost.toml").write_text('[schedules."files.daily"]\nenabled = false\n'
                                            '[schedules.own]\ntask = "files.ad"\nevery = 5\n')
    answer = doctor(*where)
    answer.found("warn", "schedules", "[schedules.files.daily] names no task")
    answer.found("note", "schedules", "sends files.ad, which no bundle here offers")


def test_a_place_for_the_state_file_that_is_not_there_is_named(doctor, tmp_path):
    where = ["-b", f"sqlite://{tmp_path}/broker.db", "--statedb"]
    doctor(*where, tmp_path / "worker.state").found("ok", "state file")
    doctor(*where, "/proc/nowhere/worker.state", status=FAILED).found("fail", "state file", "/proc/nowhere")


def test_a_redis_that_evicts_is_named(doctor, keyspace):
    keyspace.config_set("maxmemory-policy", "allkeys-lru")
    doctor("-b", settings.server("REDIS_URL")).found("warn", "broker", "allkeys-lru", "not so yet")
    keyspace.config_set("maxmemory", 1 << 30)
    hit = doctor("-b", settings.server("REDIS_URL"), status=FAILED).found("fail", "broker", "allkeys-lru", "messages")
    assert "noeviction" in hit["fix"]
    doctor("--result-backend", settings.server("REDIS_URL")).found("warn", "results", "allkeys-lru", "results")
    keyspace.config_set("appendonly", "no")
    doctor("-b", settings.server("REDIS_URL"), status=FAILED).found("note", "broker", "appendonly")


def test_a_bad_bundle_and_an_unsafe_folder_are_named(doctor, plugins):
    (plugins / "broken.so").write_text("not a library")
    doctor(status=FAILED).found("fail", "bundle broken.so")
    os.remove(plugins / "broken.so")
    plugins.chmod(0o777)
    hit = doctor(status=FAILED).found("fail", "plugins", "writable by everybody")
    assert "chmod o-w" in hit["fix"]


def test_files_that_others_can_read_are_named(doctor, tmp_path):
    database = tmp_path / "broker.db"
    doctor("-b", f"sqlite://{database}").is_good()
    database.write_text("")
    database.chmod(0o644)
    assert "chmod 600" in doctor("-b", f"sqlite://{database}").found("warn", "broker", "read by others")["fix"]
    database.write_text("this is no database at all, though it is long enough to have a header of one")
    database.chmod(0o600)
    doctor("-b", f"sqlite://{database}", status=FAILED).found("fail", "broker")
    secret = tmp_path / "broker-url"
    secret.write_text("redis://127.0.0.1:1/0\n")
    secret.chmod(0o640)
    answer = doctor(status=FAILED, environment={"TASKHOST_BROKER_FILE": str(secret)})
    answer.found("warn", "broker.url_file", "read by others")


def test_people_read_lines(taskhost, plugins):
    shown = taskhost("doctor", "--plugins", plugins).expect(0).out
    assert "worker.concurrency" in shown and "  ok    bundle arithmetic.so" in shown
    assert shown.splitlines()[-1].endswith("0 warnings, 0 failures")
