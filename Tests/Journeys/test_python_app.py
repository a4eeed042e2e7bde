"""`taskhost -A APP`: an app of Celery's, as it is; its configuration is the worker's, and what is wrong is said."""
import json
import os
import shutil
import signal
import sys
import venv

import pytest
from lab import clients, python, settings
from lab.wait import until

NO_APP = 66
VENV = {"VIRTUAL_ENV": sys.prefix}


@pytest.fixture
def shop(queues):
    """The environment of the shop on RabbitMQ, results in Redis, with queues of this test's own."""
    prefix = queues.new()
    queues.made += [prefix + ".media", prefix + ".media.dead"]
    return {"SHOP_BROKER": settings.server("AMQP_URL"), "SHOP_BACKEND": settings.server("REDIS_URL"),
            "SHOP_PREFIX": prefix}


@pytest.fixture
def shop_app(shop, monkeypatch):
    """The client: the very app that the worker serves."""
    for name, value in shop.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(python.APPS)
    from shop.celery import app
    app.loader.import_default_modules()
    yield app
    app.close()
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


@pytest.fixture
def serve(tmp_path):
    started = []

    def start(app, **how):
        started.append(python.AppWorker(tmp_path / f"worker-{len(started)}", app, **how))
        return started[-1]

    yield start
    for one in started:
        one.close()


def test_an_app_is_served_with_its_own_addresses_queues_and_routes(serve, shop, shop_app, taskhost):
    worker = serve("shop", environment=shop)
    add, scale, child = (shop_app.tasks[f"shop.tasks.{name}"] for name in ("add", "scale", "child"))
    assert add.delay(2, 3).get(timeout=20) == 5
    assert scale.delay("a.png").get(timeout=20) == ["a.png", "media.image", shop["SHOP_PREFIX"]]
    # worker_max_tasks_per_child = 50 of the app: children are kept.
    pids = {child.delay().get(timeout=20) for _ in range(6)}
    assert len(pids) <= 2
    [ready] = worker.events("ready")
    assert ready["queues"] == [shop["SHOP_PREFIX"], shop["SHOP_PREFIX"] + ".media"] and ready["concurrency"] == 2
    [warning] = worker.events("settings_not_honoured")
    for name in ("worker_pool", "broker_transport_options", "task_send_sent_event"):
        assert name in str(warning)
    assert "event_queue_prefix" not in str(warning)

    # Commands find broker and results in the app as well.
    where = ("-A", "shop", "--workdir", python.APPS)
    told = taskhost(*where, "status", "--json", environment={**VENV, **shop}).expect(0).json
    assert told
    called = taskhost("call", "shop.tasks.add", "4", "5", *where, "-Q", shop["SHOP_PREFIX"], "--wait=20",
                      environment={**VENV, **shop})
    assert called.expect(0).out.strip() == "9"


def test_the_app_is_imported_once_and_hears_what_the_worker_is(serve, taskhost, tmp_path):
    broker = f"sqlite://{tmp_path}/b.db"
    (tmp_path / "once.py").write_text(f"""
import json, os, celery
with open("imports", "a") as file:
    file.write("x")
app = celery.Celery("once", broker={broker!r})
app.conf.result_backend = None
@app.task(bind=True)
def look(self):
    numbers = os.listdir("/proc/self/fd")
    links = [os.readlink(f"/proc/self/fd/{{one}}") for one in numbers if os.path.exists(f"/proc/self/fd/{{one}}")]
    told = {{"hostname": self.request.hostname, "sockets": sum("socket:" in one for one in links),
            "variables": [name for name in os.environ if "TALK" in name]}}
    with open("seen.new", "w") as file:
        json.dump(told, file)
    os.rename("seen.new", "seen")
""")
    worker = serve("once", workdir=tmp_path, options=["-n", "mine@here"])
    assert (tmp_path / "imports").read_text() == "x"
    taskhost("call", "once.look", "-b", broker, "--no-check").expect(0)
    seen = until("the task to run", lambda: (tmp_path / "seen").exists() and (tmp_path / "seen").read_text())
    # One socket: that of a child's tasks.
    assert json.loads(seen) == {"hostname": "mine@here", "sockets": 1, "variables": []}
    worker.send(signal.SIGHUP)
    until("the app to be imported anew", lambda: (tmp_path / "imports").read_text() == "xx")


def test_hup_imports_the_app_anew_and_what_runs_ends_in_the_old_one(serve, shop, shop_app, tmp_path, gate):
    source = tmp_path / "apps"
    shutil.copytree(os.path.join(python.APPS, "shop"), source / "shop")
    worker = serve("shop.celery:app", workdir=source, environment=shop)
    version = shop_app.tasks["shop.tasks.version"]
    old = version.delay(gate.path)
    until("the old one to run", lambda: old.state == "STARTED", 20)

    tasks = source / "shop" / "tasks.py"
    tasks.write_text("this is no Python\n")
    worker.send(signal.SIGHUP)
    worker.wait_for_log("SyntaxError")
    assert version.delay().get(timeout=20) == "1"

    tasks.write_text(open(os.path.join(python.APPS, "shop", "tasks.py")).read().replace('"1"', '"2"'))
    worker.send(signal.SIGHUP)
    until("the new source to serve", lambda: version.delay().get(timeout=20) == "2", 30)
    gate.open()
    assert old.get(timeout=20) == "1"


def test_doctor_prints_each_setting_with_its_origin_and_names_what_is_not_honoured(taskhost, tmp_path):
    told = taskhost("doctor", "-A", "shop", "--workdir", python.APPS, "--json", "-b", f"sqlite://{tmp_path}/b.db",
                    "--result-backend", "none", "-c", "3",
                    environment={**VENV, "TASKHOST_TIME_LIMIT": "60", "SHOP_BROKER": "amqp://x/"}).json
    origins = {one["name"]: (one["value"], one["origin"]) for one in told["settings"]}
    assert origins["worker.queues"] == ("shop, shop.media", "shop (task_queues)")
    assert origins["results.expires"] == ("7200", "shop (result_expires)")
    assert origins["worker.time_limit"] == ("60", "TASKHOST_TIME_LIMIT")
    assert origins["worker.concurrency"] == ("3", "--concurrency")
    assert origins["worker.isolation"] == ("keep:50", "shop (worker_max_tasks_per_child)")
    assert origins["queues.shop.media.exchange_type" if "queues.shop.media.exchange_type" in origins else
                   'queues."shop.media".exchange_type'] == ("topic", "shop (task_queues)")
    assert origins["schedules.count.cron"] == ("5 */2 * * *", "shop (beat_schedule)")
    assert origins["schedules.count.timezone"] == ("Europe/Berlin", "shop (beat_schedule)")
    checks = {one["subject"]: one for one in told["checks"]}
    assert "shop: 4 tasks" in checks["app"]["detail"]
    for name in ("worker_pool", "broker_transport_options", "task_send_sent_event"):
        assert checks[f"app's {name}"]["level"] == "warn" and "not honoured" in checks[f"app's {name}"]["detail"]
    assert "priority_steps" in checks["app's broker_transport_options"]["detail"]
    assert checks["app's event_queue_prefix"]["level"] == "note"
    assert checks["bundle python.so"]["level"] == "ok"


def test_beat_and_bundles_take_the_app_as_well(taskhost, tmp_path):
    where = ("-A", "shop", "--workdir", python.APPS)
    how = {"environment": {**VENV, "SHOP_BROKER": f"sqlite://{tmp_path}/b.db", "SHOP_BACKEND": ""}}
    due = taskhost("beat", "next", "--json", "--count", "2", *where, **how).expect(0).json_lines
    assert {one["schedule"] if "schedule" in one else one["name"] for one in due} == {"count", "often"}
    offered = taskhost("bundles", *where, **how).expect(0).out
    assert "shop.tasks.add(x: json, y: json)" in offered


WRONG = {
    "none": ("nothing_there", "", "there is no module nothing_there", "--workdir"),
    "broken": ("broken", "import shutil\n\n\ndef f():\n    1 / 0\n\n\nf()\n", "ZeroDivisionError", "broken.py"),
    "deep": ("deep", "import not_installed_anywhere\n", "not_installed_anywhere", "deep.py"),
    "empty": ("empty", "x = 1\n", "has no Celery app", "-A empty:APP"),
    "other": ("other:x", "x = 1\n", "is no Celery app but a int", "-A other:APP"),
    "leaves": ("leaves", "import sys\nsys.exit(3)\n", "ends the process while it is imported", "__main__"),
    "vanishes": ("vanishes", "import os\nos._exit(7)\n", "ended with status 7 while it imported the app", "import it by"),
    "hangs": ("hangs", "import time\ntime.sleep(1000)\n", "was not over after 1.5 s", "hangs.py"),
    "wrong": ("wrong", "from celery import Celery\napp = Celery(worker_concurrency=9000)\n"
              "app.conf.worker_concurrency = 9000\n", "wrong (worker_concurrency)", "4096"),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_app_that_cannot_be_used_is_told_with_its_fix(taskhost, tmp_path, case):
    app, source, *words = WRONG[case]
    (tmp_path / f"{case}.py").write_text(source)
    (tmp_path / "taskhost.toml").write_text('[python]\nimport_timeout = 1.5\n')
    done = taskhost("-A", app, "worker", environment=VENV).expect(78 if case == "wrong" else NO_APP)
    for word in [*words, "fix: "]:
        assert word in done.err, done.err


def test_an_interpreter_that_cannot_be_used_is_told_with_its_fix(taskhost, tmp_path):
    def told(*words, **environment):
        return taskhost("-A", "proj", *words, "status", environment=environment).expect(NO_APP).err

    assert "there is no Python /none/python" in told("--python", "/none/python")
    assert "no Python was found" in told(PATH=str(tmp_path))
    assert "VIRTUAL_ENV names" in told(VIRTUAL_ENV=str(tmp_path))
    # A program for another machine: the head of an ELF file for ARM is enough.
    foreign = tmp_path / "python"
    foreign.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\xb7\x00\x01\x00\x00\x00" + bytes(40))
    foreign.chmod(0o755)
    assert "architecture" in told("--python", foreign)
    no_python = told("--python", "/bin/ls")
    assert "/bin/ls is no Python that works" in no_python and "name a CPython, 3.9 or newer" in no_python
    # One that was built without a shared libpython, as far as it says itself.
    (tmp_path / "sysconfig.py").write_text(
        "import sys\nsys.base_prefix = '/nowhere'\n"
        "def get_config_var(name):\n    return {'Py_ENABLE_SHARED': 0, 'LDLIBRARY': 'libpython.a'}.get(name)\n")
    static = tmp_path / "static"
    static.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path} exec {sys.executable} "$@"\n')
    static.chmod(0o755)
    words = told("--python", static)
    assert "has no shared libpython" in words and "--enable-shared" in words
    venv.create(tmp_path / "bare", with_pip=False)
    bare = told("--python", tmp_path / "bare" / "bin" / "python")
    assert "there is no Celery in" in bare and "pip install celery" in bare


def test_what_an_app_prints_while_it_is_imported_disturbs_nobody(taskhost, tmp_path):
    (tmp_path / "loud.py").write_text("from celery import Celery\nprint('{}' * 1000, flush=True)\n"
                                      f"app = Celery(broker='sqlite://{tmp_path}/b.db')\n")
    done = taskhost("-A", "loud", "call", "loud.x", "--no-check", environment=VENV).expect(0)
    assert len(done.out.split()) == 1


def test_a_task_reads_its_own_state_and_the_headers_it_was_sent_with(serve, tmp_path, queues):
    """Each as the first that it asks of its request."""
    queue = queues.new()
    (tmp_path / "asks.py").write_text(f"""
import celery
app = celery.Celery("asks", broker={settings.server("AMQP_URL")!r}, backend={settings.server("REDIS_URL")!r})
app.conf.task_default_queue = {queue!r}
@app.task(bind=True)
def lang(self):
    return self.request.lang
@app.task(bind=True)
def header(self):
    return [self.request.mine, self.request.headers["mine"], hasattr(self.request, "nobodys")]
@app.task(bind=True, track_started=True)
def state(self):
    found = [app.AsyncResult(self.request.id).state]
    for number in range(20):
        self.update_state(state="HALFWAY", meta={{"number": number}})
        own = app.AsyncResult(self.request.id)
        found.append([own.state, own.info["number"]])
    return found
""")
    serve("asks", workdir=tmp_path)
    app = clients.app(settings.server("AMQP_URL"), settings.server("REDIS_URL"))
    send = app.send_task
    assert send("asks.lang", queue=queue).get(timeout=20) == "py"
    assert send("asks.header", queue=queue, headers={"mine": "a header"}).get(timeout=20) == [
        "a header", "a header", False]
    told = send("asks.state", queue=queue)
    assert told.get(timeout=20) == ["STARTED", *[["HALFWAY", number] for number in range(20)]]
    app.close()
