"""Tells people something, each by the channels of their choice; prints the summary. Avisa a cada persona como lo prefiere.

    broadcast.py ADDRESS COUNT

ADDRESS is the broker's and the results'. Of the COUNT people every sixth wants mail, SMS and push together; the next a push; the
next two fall back, as their devices are gone, upon SMS, of which one's number does not exist, upon mail; one's mail server and
device are busy at first; and one cannot be reached at all.
"""
import json
import sys

from celery import Celery

address, count = sys.argv[1], int(sys.argv[2])
app = Celery(broker=address, backend=address)


@app.task(name="notify.broadcast")
def broadcast(people, notice):
    """In the bundle. Está en el bundle."""


def person(number):
    mail, sms, push = f"user{number}@example.com", f"+54261{number:07}1", f"device-{number}"
    ways = [
        {"mail": mail, "sms": sms, "push": push, "channels": ["mail", "sms", "push"], "everywhere": True},
        {"mail": mail, "push": push, "channels": ["push", "mail"]},
        {"sms": sms, "push": f"gone-{number}", "channels": ["push", "sms"]},
        {"mail": mail, "sms": f"+54261{number:04}000", "push": f"gone-{number}", "channels": ["push", "sms", "mail"]},
        {"mail": f"busy{number}@example.com", "push": f"busy-{number}", "channels": ["mail", "push"], "everywhere": True},
        {"sms": f"+54261{number:04}000", "channels": ["sms"]},
    ]
    return {"name": f"user{number}", "everywhere": False, **ways[number % len(ways)]}


notice = {"title": "Corte de agua", "text": "Mañana de 9 a 12."}
print(json.dumps(broadcast.delay([person(number) for number in range(count)], notice).get(timeout=300)))
