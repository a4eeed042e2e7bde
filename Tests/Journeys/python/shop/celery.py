"""An app as people have them: a package with celery.py, queues of kombu, routes, limits, schedules; addresses from the
environment."""
import os
from datetime import timedelta

from celery import Celery
from celery.schedules import crontab
from kombu import Exchange, Queue

PREFIX = os.environ.get("SHOP_PREFIX", "shop")

app = Celery("shop", include=["shop.tasks"])
app.conf.update(
    broker_url=os.environ.get("SHOP_BROKER"),
    result_backend=os.environ.get("SHOP_BACKEND"),
    task_queues=[
        Queue(PREFIX, Exchange(PREFIX), routing_key=PREFIX),
        Queue(PREFIX + ".media", Exchange(PREFIX + ".files", type="topic"), routing_key="media.#", max_priority=5),
    ],
    task_default_queue=PREFIX,
    task_routes=[{"shop.tasks.scale": {"queue": PREFIX + ".media", "routing_key": "media.image"}},
                 lambda name, *args, **kwargs: None],
    task_track_started=True,
    task_time_limit=300,
    result_expires=timedelta(hours=2),
    worker_concurrency=2,
    worker_max_tasks_per_child=50,
    timezone="Europe/Berlin",
    beat_schedule={
        "count": {"task": "shop.tasks.add", "schedule": crontab(minute=5, hour="*/2"), "args": (1, 2)},
        "often": {"task": "shop.tasks.add", "schedule": timedelta(seconds=3), "args": (1, 2),
                  "options": {"queue": PREFIX + ".media", "expires": 60}},
    },
    # What taskhost does not do.
    worker_pool="gevent",
    broker_transport_options={"visibility_timeout": 60, "priority_steps": [0, 5]},
    task_send_sent_event=True,
    event_queue_prefix="mine",
)
print("shop is imported")
