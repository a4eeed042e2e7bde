"""An app as many are: it imports Django, set up, and numpy."""
import time

import django
import numpy
import tally
from celery import Celery
from django.conf import settings

settings.configure(INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"], USE_TZ=True,
                   DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
django.setup()
app = Celery("heavy")
app.conf.update(task_ignore_result=True, worker_hijack_root_logger=False)


@app.task(name="heavy.first")
def first():
    tally.stamp()


@app.task(name="heavy.hold")
def hold():
    """Long enough that eight of them are held by eight processes."""
    from django.contrib.auth.models import Group
    tally.hit()
    time.sleep(1)
    return float(numpy.arange(1000).sum()) + len(str(Group.objects.all().query))
