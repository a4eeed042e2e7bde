"""The app of Celery's own worker, to compare with: run --worker celery."""

import os

from celery import Celery
from t.integration.tasks import ClassBasedAutoRetryTask

app = Celery("suite", broker=os.environ["TEST_BROKER"], backend=os.environ["TEST_BACKEND"],
             include=["t.integration.tasks"])
app.conf.update(result_extended=True)
app.register_task(ClassBasedAutoRetryTask())
