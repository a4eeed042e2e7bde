"""The same reports as a Celery app. Los mismos informes como app de Celery.

    CELERY_BROKER_URL=redis://… CELERY_RESULT_BACKEND=redis://… taskhost -A tasks worker -B     # or celery -A tasks worker -B

DATABASE, REPORTS, REPORTS_TO and SMTP_SERVER as ../README.md has them; RETRY_SECONDS between attempts, an hour if it is not set.
"""
import contextlib
import datetime
import json
import os
import smtplib
import sqlite3
from email.message import EmailMessage
from zoneinfo import ZoneInfo

from celery import Celery
from celery.schedules import crontab
from celery.utils.log import get_task_logger
from kinds import KINDS
from paper import draw_pdf

app = Celery("reports")
app.conf.timezone = "America/Argentina/Mendoza"
app.conf.beat_schedule = {
    f"reports.{kind}": {"task": "reports.make", "schedule": schedule, "args": [kind]}
    for kind, schedule in {"sales": crontab(hour=8, minute=0), "users": crontab(hour=9, minute=0, day_of_week="mon"),
                           "finances": crontab(hour=10, minute=0, day_of_month=1)}.items()}
log = get_task_logger(__name__)
# Three more attempts, an hour later each. Tres intentos más, cada uno a la hora.
HOURLY = {"autoretry_for": (Exception,), "dont_autoretry_for": (ValueError,), "max_retries": 3, "time_limit": 600,
          "default_retry_delay": float(os.environ.get("RETRY_SECONDS", 3600))}


@app.task(name="reports.make", bind=True, time_limit=60)
def make(self, kind, day=None):
    """The stages of one report, whose last gives the result. One report of a kind for a day, however often it is sent. / De cada
    tipo uno por día, aunque se envíe dos veces."""
    if kind not in KINDS:
        raise ValueError(f"no report {kind}; there are {', '.join(sorted(KINDS))}")
    day = str(datetime.date.fromisoformat(day) if day else datetime.datetime.now(ZoneInfo(app.conf.timezone)).date())
    folder = os.path.join(os.environ["REPORTS"], f"{day}-{kind}")
    raise self.replace(ask.s(folder, kind, day) | draw.s() | mail.s())


@contextlib.contextmanager
def stage(path):
    """Whether there is something to do for the file `path`, under a name of its own until it is whole. / Si hay algo que hacer
    para ese archivo, con otro nombre hasta que esté entero."""
    if os.path.exists(path):
        log.info("%s is there already", path)
        yield None
        return
    yield path + ".new"
    os.rename(path + ".new", path)
    log.info("%s is made", path)


def table(folder):
    with open(os.path.join(folder, "table.json")) as file:
        return json.load(file)


@app.task(name="reports.ask", **HOURLY)
def ask(folder, kind, day):
    """Database -> table.json."""
    os.makedirs(folder, exist_ok=True)
    with stage(os.path.join(folder, "table.json")) as path:
        if path:
            what = KINDS[kind]
            since, until = what.period(datetime.date.fromisoformat(day))
            with contextlib.closing(sqlite3.connect(f"file:{os.environ['DATABASE']}?mode=ro", uri=True, timeout=5)) as shop:
                rows = [[str(cell) for cell in row] for row in shop.execute(what.sql, (str(since), str(until)))]
            subtitle = str(since) if str(since) == day else f"{since} – {until}"
            with open(path, "w") as file:
                json.dump({"title": what.title, "subtitle": subtitle, "rows": [what.heading, *rows]}, file)
    return folder


@app.task(name="reports.draw", **HOURLY)
def draw(folder):
    """table.json -> report.pdf."""
    with stage(os.path.join(folder, "report.pdf")) as path:
        if path:
            draw_pdf(path, **table(folder))
    return folder


@app.task(name="reports.mail", **HOURLY)
def mail(folder):
    """report.pdf -> a mail, and the file `mailed`, which says when."""
    with stage(os.path.join(folder, "mailed")) as path:
        if path:
            report, name = table(folder), os.path.basename(folder)
            message = EmailMessage()
            message["Subject"], message["From"], message["To"] = report["title"], "reports@example.com", os.environ["REPORTS_TO"]
            # The same id whenever this report is sent: who gets it twice, after a crash, can tell. / Siempre el mismo.
            message["Message-ID"] = f"<{name}@example.com>"
            message.set_content(f"{report['title']}\n{report['subtitle']}\n")
            with open(os.path.join(folder, "report.pdf"), "rb") as file:
                message.add_attachment(file.read(), maintype="application", subtype="pdf", filename=f"{name}.pdf")
            send(message)
            with open(path, "w") as file:
                file.write(f"{datetime.datetime.now().isoformat()}\n")
    return folder


def send(message):
    server = os.environ["SMTP_SERVER"]
    host, port = server.split(":")
    try:
        with smtplib.SMTP(host, int(port), timeout=30) as connection:
            connection.send_message(message)
    except ConnectionError as error:
        raise ConnectionError(f"{server} takes no connection") from error
