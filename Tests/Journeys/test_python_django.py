"""A stock Django project under `taskhost -A`: models, @shared_task, results of django-celery-results in its database, the
scheduler of django-celery-beat beside it."""
import contextlib
import os
import sqlite3
import subprocess
import sys

import pytest
from lab import python, settings
from lab.wait import until

SITE = os.path.join(python.APPS, "django_site")


@pytest.fixture
def site(tmp_path, queue):
    """The site's environment, with a database that is there."""
    made = {**{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "SITE_DATABASE": str(tmp_path / "site.db"), "SITE_BROKER": settings.server("AMQP_URL"),
            "SITE_BACKEND": "django-db", "SITE_QUEUE": queue, "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=SITE, env=made, check=True, timeout=60)
    return made


@pytest.fixture
def manage(site):
    """manage("print(1)"): what a program of the site says."""
    def run(source):
        done = subprocess.run([sys.executable, "-c", "import django, mysite; django.setup()\n" + source], cwd=SITE,
                              env={**site, "DJANGO_SETTINGS_MODULE": "mysite.settings"}, capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()
    return run


@pytest.fixture
def worker(tmp_path, site):
    one = python.AppWorker(tmp_path / "worker", "mysite", workdir=SITE,
                           environment={**site, "DJANGO_SETTINGS_MODULE": "mysite.settings"}, options=["-c", "2"])
    yield one
    one.close()


def test_tasks_use_models_results_lie_in_the_database_and_its_scheduler_sends_tasks(manage, worker, site):
    told = manage("from celery import chord; from polls.models import Poll; from polls.tasks import vote, divide, total\n"
                  "poll = Poll.objects.create(question='?')\n"
                  "print(sorted(one.get(timeout=20) for one in [vote.delay(poll.pk) for _ in range(5)]))\n"
                  "failed = divide.delay(1, 0)\n"
                  "print(type(failed.get(timeout=20, propagate=False)).__name__)\n"
                  "poll.refresh_from_db(); print(poll.votes)\n"
                  "both = chord([divide.s(4, 2), divide.s(9, 3)], total.s())\n"
                  "print(both.delay().get(timeout=20))\n"
                  "from django_celery_results.models import TaskResult\n"
                  "print(TaskResult.objects.filter(status='SUCCESS').count())\n"
                  "row = TaskResult.objects.get(task_id=failed.id)\n"
                  "print(row.status, 'in divide' in row.traceback)\n"
                  "from django_celery_beat.models import IntervalSchedule, PeriodicTask\n"
                  "every = IntervalSchedule.objects.create(every=1, period='seconds')\n"
                  "PeriodicTask.objects.create(name='tick', task='polls.tasks.tick', interval=every)")
    assert told.splitlines() == ["[1, 2, 3, 4, 5]", "ZeroDivisionError", "5", "5.0", "8", "FAILURE True"]
    assert worker.said("CELERY_BEAT_SCHEDULER") and worker.events("settings_not_honoured")

    beat = subprocess.Popen([sys.executable, "-m", "celery", "-A", "mysite", "beat", "--max-interval", "1",
                             "--pidfile="], cwd=SITE, env=site, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with contextlib.closing(sqlite3.connect(site["SITE_DATABASE"], timeout=20)) as database:
            count = "SELECT count(*) FROM polls_poll WHERE question = 'tick'"
            until("two ticks", lambda: database.execute(count).fetchone()[0] >= 2, 60)
    finally:
        # Beat with the scheduler of django-celery-beat once outlived a TERM by more than 20 s.
        beat.kill()
        beat.wait(20)
