"""Limits that hold over two workers, reports at set times, a cache that follows its source, and a workflow with everything in it,
as Examples has them."""
import collections
import email
import email.policy
import json
import os
import sqlite3
import subprocess

from lab.examples import both, finish, lines, running


def scenes(printed):
    """The values printed under each heading (`== …`), in order."""
    parts = [part.splitlines() for part in "\n".join(printed).split("== ")[1:]]
    return [[json.loads(line) for line in part if line.startswith("{")] for part in parts]


def test_limits_hold_over_two_workers_and_change_while_they_run(installed, tmp_path):
    work = tmp_path / "work"
    with running("rates", work, installed=installed, folder=tmp_path) as rates:
        [[within], [raised], [paid], [urgent], [low]] = scenes(finish(rates, seconds=120))
    # Starts are 0.2 s apart, which takes 1.8 s; two workers that count by themselves would take half of that.
    assert within["refused"] == 0 and within["attempts"] == within["calls"] == 10 and within["seconds"] > 1.5
    assert raised["calls"] == 16 and raised["attempts"] == 16 + raised["refused"] and raised["refused"] > 0
    assert paid["refused"] == 0 and paid["payments"] == 9 and paid["total"] == 3 * (100 + 101 + 102)
    assert 1 < paid["together"] <= 3
    assert urgent["workers"] == ["urgent"] and 2 < urgent["together"] <= 10
    assert low["workers"] == ["low"] and low["together"] <= 2
    asked = lines(work / "requests.jsonl")
    assert {request["status"] for request in asked} == {200, 429}, "the API has refused a payment"
    order = [int(request["path"].split("/")[-1]) for request in asked if request["kind"] == "low"]
    # Sent from the lowest priority to the highest. Two are fetched at a time, so either of them may be first.
    assert sorted(order) == list(range(8)) and all(abs(7 - number - place) <= 2 for place, number in enumerate(order)), order
    for worker in ("urgent", "low"):
        assert '"message":"Task rates.call_api' in (work / f"{worker}.log").read_text(), f"the {worker} worker made no calls"


def pdf_text(mail, folder):
    """The text of the PDF that is attached to a mail, with single spaces."""
    [attachment] = email.message_from_bytes(mail.encode(), policy=email.policy.default).iter_attachments()
    assert attachment.get_content_type() == "application/pdf"
    file = folder / attachment.get_filename()
    file.write_bytes(attachment.get_content())
    text = subprocess.run(["pdftotext", "-layout", file, "-"], check=True, capture_output=True, text=True).stdout
    return file.stem, [" ".join(line.split()) for line in text.splitlines() if line.strip()]


@both
def test_each_report_is_mailed_once_and_a_failed_stage_goes_on_without_the_others(installed, tmp_path, flags):
    work = tmp_path / "work"
    with running("reports", *flags, work, installed=installed, folder=tmp_path) as reports:
        printed = finish(reports, seconds=180)
    for schedule, when in (("sales", "0 8 * * *"), ("users", "0 9 * * mon"), ("finances", "0 10 1 * *")):
        assert any(f"reports.{schedule} " in line and f"{when} (America/Argentina/Mendoza)" in line for line in printed)
    _, [failed], [users, finances], _ = scenes(printed)
    assert failed["failed"].startswith("ConnectionError: 127.0.0.1:") and "reports.mail failed" in printed
    day = os.path.basename(users["folder"]).removesuffix("-users")
    assert os.path.basename(finances["folder"]) == f"{day}-finances"
    mails = [mail["mail"] for mail in lines(work / "box.jsonl")]
    texts = dict(pdf_text(mail, tmp_path) for mail in mails)
    assert len(texts) == len(mails) == 3, "a report was mailed twice, or not at all"
    with sqlite3.connect(work / "shop.db") as shop:
        sold = shop.execute("SELECT product, sum(units), sum(units * cents) FROM sales WHERE day = date(?, '-1 day')"
                            " GROUP BY product ORDER BY product", (day,)).fetchall()
        active = shop.execute("SELECT day, count(DISTINCT user) FROM logins WHERE day >= date(?, '-7 days') AND day < ?"
                              " GROUP BY day ORDER BY day", (day, day)).fetchall()
    assert texts[f"{day}-sales"][0] == "Ventas del día"
    assert texts[f"{day}-sales"][2:] == [
        "producto unidades importe", *(f"{product} {units} {cents / 100:.2f}" for product, units, cents in sold)]
    assert texts[f"{day}-users"][2:] == ["día usuarios", *(f"{one} {users}" for one, users in active)] and len(active) == 7
    assert [line.split()[0] for line in texts[f"{day}-finances"][2:]] == ["cuenta", "gastos", "ventas"]
    log = (work / "only.log").read_text() + (work / "beat.log").read_text()
    for stage in ("table.json", "report.pdf", "mailed"):
        assert log.count(f"{day}-users/{stage} is made") == 1
    assert f"{day}-users/report.pdf is there already" in log and f"{day}-users/mailed is there already" not in log


@both
def test_a_cache_is_reckoned_once_for_all_who_ask_and_again_when_its_source_changes(installed, tmp_path, flags):
    work = tmp_path / "work"
    with running("cache", *flags, work, installed=installed, folder=tmp_path) as cache:
        printed = [json.loads(line) for line in finish(cache, seconds=120)]
    *shown, figures = printed
    warmed, rush, changed, invalidated = shown
    assert (warmed["computed"], warmed["keys"]) == (6, 6)
    assert (rush["computed"], rush["found"]) == (1, 49)
    assert changed["cheapest"] == [100, 1] and changed["served_with_a_warning"]
    assert invalidated["computed"] == 6
    # Of the one category that changed once more, besides.
    assert figures["figures"]["computed"] == 6 + 1 + 1 + 6 and figures["figures"]["invalidated"] == 2
    assert figures["figures"]["stale"] > 0 and figures["figures"]["found"] >= 49
    reckoned = {worker: (work / f"{worker}.log").read_text().count("is reckoned anew") for worker in ("first", "second")}
    assert sum(reckoned.values()) == 14 and all(reckoned.values()), reckoned


@both
def test_a_workflow_branches_notes_its_failure_and_is_cancelled_at_any_point(installed, tmp_path, flags):
    work = tmp_path / "work"
    with running("workflow", *flags, work, installed=installed, folder=tmp_path) as workflow:
        printed = finish(workflow, seconds=180)
    good, [poor], [broken], cancelled = scenes(printed)
    assert good[-1]["outcome"] == "deployed" and good[-1]["accuracy"] >= 0.9
    assert [told["step"] for told in good[:-1] if "SUCCESS" in told["states"]][0] == "begin"
    assert any("/20" in state for told in good if told.get("step") == "train" for state in told["states"])
    assert os.readlink(work / "production") == str(work / "good" / f"{good[-1]['model']}.model")
    assert poor["outcome"] == "held"
    assert broken["state"] == "failed" and broken["step"] == "prepare" and "nothing.csv: status 404" in broken["reason"]
    assert [told["step"] for told in cancelled] == ["prepare", "train"]
    assert {told["state"] for told in cancelled} == {"cancelled"}
    metrics = {name: [one["step"] for one in lines(work / name / "metrics.jsonl")] for name in ("good", "poor", "broken", "late")}
    counts = collections.Counter(step.split()[0] for step in metrics["good"])
    assert counts == {"prepare": 3, "combine": 1, "train": 5, "evaluate": 5, "choose": 1, "deploy": 1}
    assert metrics["poor"][-1] == "hold"
    assert sorted(metrics["broken"]) == ["failed", "prepare first", "prepare second"]
    # Linear models cannot tell a circle; the others can, and one of them was chosen.
    scores = {one["step"]: one["accuracy"] for one in lines(work / "good" / "metrics.jsonl") if "accuracy" in one}
    assert scores["evaluate linear"] < 0.8 < min(scores[f"evaluate {model}"] for model in ("rf", "xgboost", "neural_net", "svm"))
    # The errback is told of what was cancelled, too; nothing else goes on.
    early = work / "early" / "metrics.jsonl"
    assert not early.exists() or [one["step"] for one in lines(early)] == ["failed"]
    assert sorted({*metrics["late"]} - {"failed"}) == ["combine", "prepare first", "prepare second", "prepare third"]
