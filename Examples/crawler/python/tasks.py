"""The same task as a Celery app. La misma tarea como app de Celery.

    CELERY_BROKER_URL=redis://… CELERY_RESULT_BACKEND=redis://… taskhost -A tasks worker     # or celery -A tasks worker
"""
import urllib.error
import urllib.request
from html.parser import HTMLParser

from celery import Celery
from kombu import Queue

app = Celery("crawler")
# The earlier is served first. La primera se atiende antes.
app.conf.task_queues = [Queue(name) for name in ("urgent", "normal", "low")]
app.conf.task_default_queue = "normal"
app.conf.worker_prefetch_multiplier = 1

# Where a page goes that failed: one queue lower. A la cola siguiente, si falla.
LOWER = {"urgent": "normal", "normal": "low"}


class Page(HTMLParser):
    """What is of interest in a page. Lo que interesa de una página."""

    def __init__(self, text):
        super().__init__()
        self.title, self.links, self.tag = None, 0, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tag = tag
        self.links += tag == "a" and "href" in dict(attributes)

    def handle_data(self, data):
        if self.tag == "title" and self.title is None:
            self.title = data


# Ten a minute by each worker, whatever the domain: taskhost.toml makes it one limit for each domain, over all workers. / Diez por
# minuto cada worker; taskhost.toml lo vuelve uno por dominio, entre todos los workers.
@app.task(name="crawler.fetch", bind=True, max_retries=2, soft_time_limit=25, time_limit=30, rate_limit="10/m")
def fetch(self, url):
    """Fetches one page. Trae una página."""
    queue = self.request.delivery_info["routing_key"]
    try:
        with urllib.request.urlopen(url, timeout=20) as reply:
            body = reply.read()
        page = Page(body.decode(errors="replace"))
        return {"url": url, "outcome": "fetched", "queue": queue, "title": page.title, "links": page.links, "bytes": len(body)}
    except urllib.error.HTTPError as error:
        # "Not there" stays so; 5xx may pass. "No existe" no cambia; 5xx puede pasar.
        reason, may_pass = f"status {error.code}", error.code >= 500
    except OSError as error:
        reason, may_pass = str(error), True
    if may_pass and queue in LOWER:
        raise self.retry(queue=LOWER[queue], countdown=1)
    return {"url": url, "outcome": "failed", "queue": queue, "reason": reason}
