"""A campaign of mails, a crawler and a pipeline, as Examples has them."""
import collections
import json
import os
import subprocess
import urllib.request
import wave

from lab.examples import both, content, finish, lines, running
from lab.wait import until


def test_ten_thousand_mails_arrive_once_each_and_the_report_with_them(installed, tmp_path):
    count, work = 10_000, tmp_path / "work"
    with running("mail-campaign", count, work, installed=installed, folder=tmp_path) as campaign:
        report = json.loads(finish(campaign, seconds=400)[-1])
    assert report == {"total": count, "sent": 9990, "retried": 90, "failed": 10}
    mails = lines(work / "box.jsonl")
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


@both
def test_two_workers_fetch_of_each_domain_one_page_at_a_time_and_show_how_far_they_are(installed, tmp_path, flags):
    work = tmp_path / "work"
    with running("crawler", *flags, 3, work, installed=installed, folder=tmp_path, stdin=subprocess.PIPE) as crawler:
        address = crawler.stdout.readline().strip()
        assert b"stats.json" in urllib.request.urlopen(address, timeout=30).read()

        def figures():
            with urllib.request.urlopen(f"{address}/stats.json", timeout=30) as answer:
                return json.load(answer)

        shown = until("all pages to be fetched", lambda: figures()["waiting"] == 0 and figures(), 120, every=0.1)
        printed = finish(crawler, seconds=60)
    assert json.loads(printed[-1]) == shown
    assert shown["total"] == 24 and shown["outcome"] == {"fetched": 21, "failed": 3}
    assert shown["domain"] == {f"127.0.0.{number}": 8 for number in (1, 2, 3)}
    # What failed at first is one queue lower: one page of the urgent domain, one of each other.
    assert shown["queue"] == {"urgent": 7, "normal": 14 + 1, "low": 2}
    requests = lines(work / "requests.jsonl")
    asked = collections.Counter((request["host"], request["path"]) for request in requests)
    assert all(count == (2 if path == "/flaky" else 1) for (_, path), count in asked.items()) and len(asked) == 24
    assert {request["same"] for request in requests} == {1}
    for worker in ("first", "second"):
        assert '"message":"Task crawler.fetch' in (work / f"{worker}.log").read_text(), f"the {worker} worker did nothing"


@both
def test_a_pipeline_goes_on_after_a_failed_stage_and_one_is_cancelled_midway(installed, tmp_path, flags):
    work = tmp_path / "work"
    with running("subtitles", *flags, work, installed=installed, folder=tmp_path) as pipelines:
        printed = finish(pipelines, seconds=180)
    parts = [part.splitlines() for part in "\n".join(printed).split("== ")[1:]]
    failed, done, cancelled = ([json.loads(line) for line in part if line.startswith("{")] for part in parts)
    assert failed[-1]["state"] == "failed" and failed[-1]["stage"] == 2
    assert "FileNotFoundError" in failed[-1]["reason"] and "model.txt" in failed[-1]["reason"]
    # The first stage has nothing to do any more, so it tells of no progress.
    assert done[-1]["state"] == "done" and all(told.get("stage") != 1 for told in done)
    assert cancelled[0]["stage"] == 1 and cancelled[-1] == {"state": "cancelled", "stage": 1}
    assert sorted(os.listdir(work / "film")) == [
        "input.wav", "levels.txt", "model.txt", "small.wav", "speech.txt", "subtitles.srt"]
    assert os.listdir(work / "cancelled") == ["input.wav"]
    assert (work / "film" / "subtitles.srt").read_text() == "1\n00:00:01,000 --> 00:00:02,000\n[speech]\n"
    with wave.open(str(work / "film" / "input.wav")) as whole, wave.open(str(work / "film" / "small.wav")) as small:
        assert (small.getframerate(), small.getnframes()) == (whole.getframerate() // 2, whole.getnframes() // 2)
