"""Users of Redis who may not do all that a worker does: told by name, by the worker and by `taskhost doctor`."""
import shutil
import uuid

import pytest
import redis
from conftest import example
from lab import clients, settings

REFUSED = 69
FAILED = 2


class Users:
    """Accounts of a test's own; `make` returns the address to log in with."""

    def __init__(self):
        self.client = redis.Redis.from_url(settings.server("REDIS_URL"))
        self.made = []

    def make(self, *rules):
        name = f"u{uuid.uuid4().hex[:8]}"
        self.made.append(name)
        self.client.execute_command("ACL", "SETUSER", name, "reset", "on", ">pw", *rules)
        return name, settings.server("REDIS_URL").replace("redis://", f"redis://{name}:pw@")

    def may(self, name, *rules):
        self.client.execute_command("ACL", "SETUSER", name, *rules)

    def close(self):
        self.client.execute_command("ACL", "DELUSER", *self.made)
        self.client.close()


@pytest.fixture
def users():
    one = Users()
    yield one
    one.close()


class There:
    """What `start_worker` asks of a transport."""

    def __init__(self, url):
        self.broker = self.backend = url


@pytest.fixture
def doctor(taskhost, tmp_path):
    """Findings as (level, subject, detail and fix)."""
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o755)
    shutil.copy(example("arithmetic"), folder)

    def ask(url, *words, status=0):
        # Not as --broker: there a password is a warning of its own.
        done = taskhost("doctor", "--json", "--plugins", folder, *words,
                        environment={"TASKHOST_BROKER": url}).expect(status)
        return [(one["level"], one["subject"], f"{one['detail']} {one['fix']}") for one in done.json["checks"]]
    return ask


def found(findings, level, *words):
    hits = [text for one, _, text in findings if one == level and all(word in text for word in words)]
    assert len(hits) == 1, f"{len(hits)} × {level} {words} in {findings}"
    return hits[0]


def test_a_worker_that_may_not_run_scripts_ends_at_once_and_says_who_may_not_do_what(users, start_worker, doctor):
    name, url = users.make("~*", "&*", "+@all", "-@scripting")
    worker = start_worker(There(url), f"q-{name}", wait=False)
    assert worker.wait() == REFUSED
    line = worker.said("does not let user", name)
    assert line and "eval" in line and "ACL SETUSER" in line, worker.tail()
    found(doctor(url, status=FAILED), "fail", "it would not start", name)


def test_a_right_that_is_taken_away_while_it_runs_is_told_and_waited_for(users, start_worker):
    name, url = users.make("~*", "&*", "+@all")
    there = There(url)
    worker = start_worker(there, f"q-{name}")
    users.may(name, "-@scripting")
    worker.wait_for_log("does not let user", name)
    users.may(name, "+@scripting")
    worker.wait_for_log("takes messages again")
    app = clients.app(url, url)
    assert app.send_task("tasks.add", (1, 2), queue=f"q-{name}").get(timeout=30) == 3
    app.close()


def test_a_user_without_dangerous_commands_runs_tasks_and_doctor_notes_what_it_cannot_ask(users, doctor):
    name, url = users.make("~*", "&*", "+@all", "-@dangerous", "-@admin")
    findings = doctor(url)
    found(findings, "note", "maxmemory-policy and appendonly are unknown", name if "user" in str(findings) else "info")
    version = users.client.info("server")
    wanted = f"Valkey {version['valkey_version']}" if "valkey_version" in version else f"Redis {version['redis_version']}"
    found(findings, "ok", wanted)


def test_a_user_without_channels_is_told_what_will_not_work(users, start_worker, doctor):
    name, url = users.make("~*", "resetchannels", "+@all")
    worker = start_worker(There(url), f"q-{name}")
    worker.wait_for_log("remote control does not reach this worker", "channels")
    if int(users.client.info("server")["redis_version"].split(".")[0]) >= 7:
        findings = doctor(url, status=FAILED)
        found(findings, "fail", "PUBLISH celery-task-meta-0")
        found(findings, "warn", "remote control", "celery.pidbox")


def test_doctor_is_content_with_the_least_rights_of_the_documentation(users, start_worker, doctor, queue):
    name, url = users.make("~*", "&*", "-@all", "+@read", "+@write", "+@pubsub", "+@transaction", "+@scripting",
                           "+@connection", "+time")
    worker = start_worker(There(url), f"q-{name}")
    assert not worker.said("does not reach")
    assert not [one for one in doctor(url) if one[0] in ("warn", "fail")]
