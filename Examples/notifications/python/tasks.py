"""The same tasks as a Celery app. Las mismas tareas como app de Celery.

    CELERY_BROKER_URL=redis://… CELERY_RESULT_BACKEND=redis://… taskhost -A tasks worker     # or celery -A tasks worker
"""
import json
import os
import smtplib
import urllib.error
import urllib.request
from email.message import EmailMessage

from celery import Celery, chord

app = Celery("notify")
app.conf.worker_concurrency = 4


class DeliveryProblem(Exception):
    """Why a channel has not taken a notice. Por qué un canal no la aceptó."""

    def __init__(self, may_pass, reason):
        super().__init__(may_pass, reason)
        self.may_pass, self.reason = may_pass, reason


@app.task(name="notify.broadcast", bind=True)
def broadcast(self, people, notice):
    """All people side by side; the summary is the result of this task. El resumen del final es su resultado."""
    raise self.replace(chord([tell.s(person, notice) for person in people], summary.s()))


@app.task(name="notify.person", bind=True)
def tell(self, person, notice):
    """One person: ways side by side, each a channel or several to fall back upon. / Una persona: caminos en paralelo."""
    channels = person["channels"]
    ways = [[channel] for channel in channels] if person["everywhere"] else [channels]
    routes = [route(person, notice, way) for way in ways if way]
    body = register.s(name=person["name"])
    raise self.replace(chord(routes, body) if routes else body.clone(args=([],)))


def route(person, notice, channels, tried=()):
    """The channels to one person, one after the other until one works. Un canal tras otro, hasta que uno funcione."""
    first, *others = channels
    return CHANNELS[first].s(person=person, notice=notice, others=others, tried=list(tried))


def deliver(task, channel, send, person, notice, others, tried):
    try:
        send()
        return {"channel": channel, "tried": tried}
    except DeliveryProblem as problem:
        if problem.may_pass and task.request.retries < task.max_retries:
            raise task.retry(exc=problem, countdown=2 ** task.request.retries)
        # Not a failure, which would take the report with it. No es un fallo: se llevaría el informe.
        tried = [*tried, {"channel": channel, "reason": problem.reason}]
    if not others:
        return {"channel": None, "tried": tried}
    # The next channel takes this task's place, in the chord, too. El canal siguiente ocupa su lugar.
    raise task.replace(route(person, notice, others, tried))


@app.task(name="notify.mail", bind=True, max_retries=2, time_limit=60)
def mail(self, person, notice, others=(), tried=()):
    def send():
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = notice["title"], "notify@example.com", person["mail"]
        message["Message-ID"] = f"<{self.request.id}@example.com>"
        message.set_content(notice["text"])
        host, port = os.environ["SMTP_SERVER"].split(":")
        try:
            with smtplib.SMTP(host, int(port), timeout=20) as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as refused:
            [(code, text)] = refused.recipients.values()
            raise DeliveryProblem(code < 500, f"refused, {code} {text.decode()}") from None
        except (OSError, smtplib.SMTPException) as error:
            raise DeliveryProblem(True, str(error)) from error

    return deliver(self, "mail", send, person, notice, others, tried)


# A hundred a minute by each worker: taskhost.toml makes it one limit for all. / Cien por minuto cada worker; taskhost.toml lo
# vuelve uno para todos.
@app.task(name="notify.sms", bind=True, max_retries=2, time_limit=30, rate_limit="100/m")
def sms(self, person, notice, others=(), tried=()):
    message = {"id": self.request.id, "to": person["sms"], "text": f"{notice['title']}: {notice['text']}"}
    return deliver(self, "sms", lambda: post(message, "SMS_GATEWAY"), person, notice, others, tried)


@app.task(name="notify.push", bind=True, max_retries=2, time_limit=30)
def push(self, person, notice, others=(), tried=()):
    message = {"id": self.request.id, "to": person["push"], **notice}
    return deliver(self, "push", lambda: post(message, "PUSH_SERVICE"), person, notice, others, tried)


CHANNELS = {"mail": mail, "sms": sms, "push": push}


def post(message, variable):
    request = urllib.request.Request(os.environ[variable], json.dumps(message).encode())
    try:
        urllib.request.urlopen(request, timeout=20).close()
    except urllib.error.HTTPError as error:
        raise DeliveryProblem(error.code >= 500, f"status {error.code}") from None
    except OSError as error:
        raise DeliveryProblem(True, str(error)) from error


@app.task(name="notify.register")
def register(deliveries, name):
    """What became of one person's ways, noted in the file NOTICES. Anota lo que pasó con una persona."""
    outcome = {"name": name, "reached": [one["channel"] for one in deliveries if one["channel"]],
               "tried": [tried for one in deliveries for tried in one["tried"]]}
    # One write at the end of the file: lines of several processes do not mix. Las líneas no se mezclan.
    with open(os.environ.get("NOTICES", "notices.jsonl"), "ab", buffering=0) as file:
        file.write(json.dumps(outcome).encode() + b"\n")
    return outcome


@app.task(name="notify.summary")
def summary(outcomes):
    """Who was reached, and by what. A quién se llegó, y por dónde."""
    reached = [channel for one in outcomes for channel in one["reached"]]
    return {"people": len(outcomes), "delivered": {channel: reached.count(channel) for channel in set(reached)},
            "fallback": sum(bool(one["reached"] and one["tried"]) for one in outcomes),
            "unreached": [one["name"] for one in outcomes if not one["reached"]]}
