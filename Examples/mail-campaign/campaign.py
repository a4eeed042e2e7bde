"""Sends a campaign and waits for its report. Envía una campaña y espera su informe.

    campaign.py ADDRESS COUNT

ADDRESS is the broker's and the results'. Every hundredth recipient is busy at first, every thousandth does not exist. Cada
centésimo destinatario está ocupado al principio; cada milésimo no existe.
"""
import json
import sys
import time

from celery import Celery

address, count = sys.argv[1], int(sys.argv[2])
app = Celery(broker=address, backend=address)


@app.task(name="mail.campaign")
def campaign(recipients, subject, body, report_to):
    """In the bundle. Está en el bundle."""


def recipient(number):
    kind = "nobody" if number % 1000 == 999 else "busy" if number % 100 == 99 else "user"
    return f"{kind}{number}@example.com"


begun = time.monotonic()
result = campaign.delay([recipient(number) for number in range(count)], "Boletín semanal", "Hola:\n.\nHasta la próxima.",
                        report_to="editor@example.com")
print(f"campaign {result.id}: sent, and the program goes on", flush=True)
report = result.get(timeout=600)
print(f"{time.monotonic() - begun:.1f} s", file=sys.stderr)
print(json.dumps({**report, "failed": len(report["failed"])}))
