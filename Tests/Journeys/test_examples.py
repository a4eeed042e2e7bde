"""The systems in Examples, run as their README says: from their own folder, by one command, with real parts."""
import collections
import email
import email.policy
import json
import os
import signal
import subprocess
import sys

from lab import settings
from lab.worker import clean_environment


def run(name, *words, installed, folder, seconds=400):
    """What `Examples/NAME/run WORDS` prints, as lines. Everything it starts is gone when this returns."""
    source = os.path.join(settings.ROOT, "Examples", name)
    environment = {
        **clean_environment(str(folder)), "DIST": settings.dist(), "OUT": str(folder / "plugins"), "PYTHON": sys.executable,
        "PYTHONPATH": installed, "PYTHONDONTWRITEBYTECODE": "1"}
    program = subprocess.Popen([os.path.join(source, "run"), *map(str, words)], env=environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        out, err = program.communicate(timeout=seconds)
    finally:
        try:
            os.killpg(program.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    assert program.returncode == 0, f"status {program.returncode}\n{out}\n{err}"
    return out.splitlines()


def content(mails, recipient):
    """Subject and body of the mail to `recipient`."""
    [raw] = [mail["mail"] for mail in mails if mail["to"] == recipient]
    mail = email.message_from_bytes(raw.encode(), policy=email.policy.default)
    return mail["Subject"], mail.get_content().replace("\r\n", "\n")


def test_ten_thousand_mails_arrive_once_each_and_the_report_with_them(installed, tmp_path):
    count, work = 10_000, tmp_path / "work"
    lines = run("mail-campaign", count, work, installed=installed, folder=tmp_path)
    report = json.loads(lines[-1])
    assert report == {"total": count, "sent": 9990, "retried": 90, "failed": 10}
    mails = [json.loads(line) for line in (work / "box.jsonl").read_text().splitlines()]
    arrived = collections.Counter(mail["to"] for mail in mails)
    assert set(arrived.values()) == {1}
    assert len(arrived) == 9990 + 1 and arrived["editor@example.com"] == 1
    ids = {line for mail in mails for line in mail["mail"].split("\r\n") if line.startswith("Message-ID:")}
    assert len(ids) == len(mails)
    subject, body = content(mails, "user0@example.com")
    assert (subject, body) == ("Boletín semanal", "Hola:\n.\nHasta la próxima.\n")
    subject, body = content(mails, "editor@example.com")
    assert subject == "Report: Boletín semanal"
    assert "sent: 9990\nafter another attempt: 90\n" in body
    assert "nobody9999@example.com: refused, 550 no such user" in body
