"""What `taskhost -A` makes of each of Celery's settings: the table, its page, and apps of all kinds, without a worker."""
import json
import os
import subprocess
import sys

import pytest
from celery.app.defaults import NAMESPACES, flatten

from lab import settings

PACKAGE = os.path.join(settings.ROOT, "Python")


def test_the_table_names_each_setting_of_celerys_and_the_page_shows_the_table():
    named = subprocess.run([sys.executable, os.path.join(PACKAGE, "taskhost_celery", "settings_table.py")],
                           capture_output=True, text=True, check=True).stdout
    rows = [line.split("`")[1] for line in named.splitlines()[2:]]
    assert rows == [name for name, _ in flatten(NAMESPACES)]
    with open(os.path.join(settings.ROOT, "docs", "python.md")) as page:
        assert named.strip() in page.read(), "write the table anew: python Python/taskhost_celery/settings_table.py"


@pytest.fixture
def described(tmp_path):
    """described("app.conf.x = 1"): the settings that such an app makes, by name, and what became of Celery's."""
    def ask(lines, made="Celery('proj')", **environment):
        (tmp_path / "proj.py").write_text(f"from celery import Celery\napp = {made}\n{lines}\n")
        read, write = os.pipe()
        start = ("import os, sys; sys.path[0] = sys.argv.pop(1); os.dup2(int(sys.argv.pop(1)), 3)\n"
                 "from taskhost_celery import describe; describe.main()")
        process = subprocess.Popen([sys.executable, "-B", "-c", start, PACKAGE, str(write), "proj", "20"],
                                   pass_fds=[write], cwd=tmp_path, env={**os.environ, **environment})
        os.close(write)
        with os.fdopen(read) as pipe:
            told = json.load(pipe)
        assert process.wait() == 0
        assert "problem" not in told, told
        return ({".".join(one["key"]): one["value"] for one in told["settings"]},
                {one["name"]: one for one in told["celery"]})
    return ask


BACKENDS = {
    "rpc": ("result_backend='rpc'", "rpc://"),
    "redis by parts": ("result_backend='redis', redis_host='h', redis_port=1, redis_db=2, redis_password='p@'",
                       "redis://:p%40@h:1/2"),
    "database": ("result_backend='database', database_url='postgresql://u@h/d'", "db+postgresql://u@h/d"),
    "cache": ("result_backend='cache', cache_backend='memcached://h:1/'", "cache+memcached://h:1/"),
    "mongodb": ("result_backend='mongodb://h/', mongodb_backend_settings={'database': 'd', "
                "'taskmeta_collection': 't'}", "mongodb://h/d"),
    "disabled": ("result_backend='disabled'", "none"),
    "a database of the app's own": ("result_backend='db+sqlite:////tmp/results.db'", "none"),
    "over TLS": ("result_backend='redis://h/0', redis_backend_use_ssl={'ssl_ca_certs': '/ca.pem', "
                 "'ssl_cert_reqs': __import__('ssl').CERT_NONE}",
                 "rediss://h/0?ssl_cert_reqs=none&ssl_ca_certs=/ca.pem"),
}


@pytest.mark.parametrize("spelling", BACKENDS)
def test_result_backends_are_understood_in_all_spellings(described, spelling):
    lines, address = BACKENDS[spelling]
    made, _ = described(f"app.conf.update({lines})")
    assert made["results.url"] == address


def test_what_the_constructor_environment_and_old_names_set_counts_as_well(described):
    made, _ = described("", "Celery('proj', broker='redis://h/3', backend='redis://h/4')")
    assert (made["broker.url"], made["results.url"]) == ("redis://h/3", "redis://h/4")
    made, told = described("class Old:\n    BROKER_URL = 'amqp://old//'\n    CELERY_ACKS_LATE = False\n"
                           "    CELERYD_CONCURRENCY = 3\napp.config_from_object(Old)")
    assert (made["broker.url"], made["worker.acks_late"], made["worker.concurrency"]) == ("amqp://old//", False, 3)
    assert told["CELERY_ACKS_LATE"]["verdict"] == "honoured"
    made, told = described("app.conf.broker_host = 'h'; app.conf.broker_user = 'u'; app.conf.broker_vhost = 'v'")
    assert made["broker.url"].startswith("amqp://u") and "@h:5672/v" in made["broker.url"]
    made, _ = described("app.conf.broker_url = ['amqp://a//', 'amqp://b//']\napp.conf.broker_use_ssl = "
                        "{'ca_certs': '/ca.pem'}\napp.conf.broker_heartbeat = 7")
    assert made["broker.url"] == ("amqps://a//?heartbeat=7&cacertfile=/ca.pem;amqps://b//?heartbeat=7"
                                  "&cacertfile=/ca.pem").replace("heartbeat=7&cacertfile=/ca.pem",
                                                                 "cacertfile=/ca.pem&heartbeat=7")
    # Celery's own defaults: whoever sends by this app sends there.
    made, _ = described("")
    assert made["broker.url"].startswith("amqp://") and made["results.url"] == "none"


def test_what_is_not_honoured_is_named_and_what_holds_anyway_is_not(described):
    _, told = described(
        "app.conf.update(worker_pool='prefork', accept_content=['json', 'pickle'], task_serializer='pickle',\n"
        "    result_backend='django-db', broker_transport_options={'visibility_timeout': 5, 'sep': ':'},\n"
        "    task_routes=(__import__('re').compile('x'),) and {__import__('re').compile('x.*'): {'queue': 'q'}},\n"
        "    beat_schedule={'odd': {'task': 't', 'schedule': 5, 'options': {'headers': {}}},\n"
        "                   'kept': {'task': 't', 'schedule': 5, 'args': [object()]}}, worker_log_color=True)")
    wrong = {name: one["why"] for name, one in told.items() if one["verdict"] == "not honoured"}
    assert set(wrong) == {"accept_content", "task_serializer", "broker_transport_options", "task_routes",
                          "beat_schedule", "worker_log_color"}
    assert told["result_backend"]["verdict"] == "in Python"
    assert "sep" in wrong["broker_transport_options"] and "visibility" not in wrong["broker_transport_options"]
    assert "odd" in wrong["beat_schedule"] and "kept" in wrong["beat_schedule"]


def test_a_password_is_told_to_nobody_who_reads_what_became_of_settings(described):
    made, told = described("app.conf.update(broker_url='amqp://u:geheim@h//', redis_password='geheim', "
                           "result_backend='redis')")
    assert "geheim" in made["broker.url"] and "geheim" in made["results.url"]
    assert "geheim" not in json.dumps(list(told.values()))
