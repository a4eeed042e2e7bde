"""Pictures that come over the web, tasks at set times, failures of all kinds, and notices by several channels, as Examples has
them."""
import collections
import json
import re
import sqlite3

from lab.examples import both, content, finish, lines, running


def test_pictures_are_worked_on_side_by_side_and_one_too_huge_dies_alone(installed, tmp_path):
    work = tmp_path / "work"
    with running("images", work, installed=installed, folder=tmp_path) as images:
        printed = finish(images, seconds=180)
    told = [json.loads(line) for line in printed if line.startswith('{"file"')]
    [huge, rocket] = [[one for one in told if one["file"] == name] for name in ("huge.png", "rocket.jpg")]
    assert rocket[-1]["state"] == "SUCCESS" and len(rocket[-1]["pictures"]) == 3
    seen = [one["parts"]["processed"] for one in rocket if one["parts"]["processed"]["state"] == "PROGRESS"]
    assert seen and all(one["total"] == 4 and 0 < one["done"] <= 4 for one in seen)
    assert huge[-1]["state"] == "FAILURE"
    assert "its memory limit is 160 MiB" in huge[-1]["parts"]["processed"]["reason"]
    made = {name: (work / "pictures" / name).read_bytes() for name in rocket[-1]["pictures"]}
    assert all(picture.startswith(b"\xff\xd8\xff") for picture in made.values())
    assert len({len(picture) for picture in made.values()}) == 3
    index = json.loads((work / "pictures" / f"{rocket[-1]['id']}.json").read_text())
    assert [index[0]["width"], index[1]["operations"]] == [160, ["resize", "blur", "enhance", "rotate"]]
    assert {"id": rocket[-1]["id"], "event": "success"} in lines(work / "done.jsonl")


def test_tasks_at_set_times_go_on_with_another_beat_and_what_was_missed_is_made_up_for(installed, tmp_path):
    work = tmp_path / "work"
    with running("periodic", work, installed=installed, folder=tmp_path) as periodic:
        printed = finish(periodic, seconds=120)
    # Due next, as the bundle says: in Mendoza's time.
    for schedule, when in (("nightly", "02:00:00 -0300 .* 0 2 "), ("mondays", "^Mon .* 09:00:00 -0300"), ("hourly", ":00:00 -03"),
                           ("monthly", r"^... \d+-\d+-01 00:00:00 -0300"), ("cleaning", "every 30 s")):
        assert any(re.search(when, line) and f"periodic.{schedule} " in line for line in printed), (schedule, printed)
    assert [line for line in printed if line in ("2", "0")] == ["2", "0"]

    def sent(name):
        return [line for line in lines(work / f"{name}.log") if line.get("event") == "beat-sent"]

    beats = {name: sent(name) for name in ("first", "second", "third")}
    assert all(beats.values())
    ids = [line["task_id"] for name in beats for line in beats[name]]
    assert len(ids) == len(set(ids)), "one due time was sent twice"
    late = collections.Counter(line["schedule"] for line in beats["third"])
    assert late["periodic.monthly"] >= late["periodic.nightly"] + 2, "each invoice run is made up for, of backups one"
    with sqlite3.connect(work / "shop.db") as database:
        assert database.execute("SELECT count(*) FROM invoices").fetchone() == (2,)
        assert database.execute("SELECT price FROM prices ORDER BY product").fetchall() == [(4.25,), (3.5,)]
    assert [path.name for path in (work / "cache").iterdir()] == ["fresh"]
    copies = sorted(path.name for path in (work / "backups").iterdir())
    assert len(copies) == 2 and all(name.endswith(".db") for name in copies)
    with sqlite3.connect(work / "backups" / copies[-1]) as copy:
        assert copy.execute("SELECT count(*) FROM sales").fetchone() == (6,)
    reports = list((work / "reports").iterdir())
    assert reports and {path.read_text() for path in reports} == {"product,sales,amount\ncoffee,1,4.25\ntea,2,7.00\n"}


def test_what_may_pass_is_tried_again_and_what_has_failed_waits_for_a_hand(installed, tmp_path):
    work = tmp_path / "work"
    with running("retries", work, installed=installed, folder=tmp_path) as retries:
        printed = finish(retries, seconds=180)
    told = {name: value for line in printed if line.startswith("{") for name, value in json.loads(line).items()}
    assert told["flaky"]["attempts"] == 3
    assert told["missing"].startswith("NotFound: ") and told["invalid"].startswith("InvalidOrder: ")
    assert "SIGILL" in told["short"] and told["good"] == "ana buys tea for 3.5"
    assert told["impatient"] == {"price": "3.50", "method": "fallback"}
    assert told["patient"] == [20, {"price": "3.50", "method": "service"}]
    requests = lines(work / "requests.jsonl")
    prices = [request for request in requests if request["path"] == "/price"]
    assert [request["status"] for request in prices].count(200) == 21, "one before, and one for each that waited"
    # Not all of the 21 asked again and again: those in the four slots, then one in 1.5 s.
    busy = [request["time"] for request in prices if request["status"] == 503]
    assert 3 <= len(busy) <= 5 + (busy[-1] - busy[0]) / 1.5
    assert [request["status"] for request in requests if request["path"] == "/missing"] == [404]
    assert any("retries.import_order  poison" in line for line in printed)
    assert any("ImportOrder.run" in line for line in printed), "the crash names no function"
    assert printed.count("luis buys tea for 7.0") == 2
    mails = lines(work / "box.jsonl")
    assert [mail["to"] for mail in mails] == ["busy-operator@example.com"] * 3
    subjects = collections.Counter(content([mail], mail["to"])[0] for mail in mails)
    assert subjects == {"Failed: retries.download": 1, "Failed: retries.import_order": 2}


@both
def test_a_notice_reaches_people_by_the_channels_they_prefer_within_the_limits(installed, tmp_path, flags):
    work = tmp_path / "work"
    with running("notifications", *flags, 12, work, installed=installed, folder=tmp_path) as notifications:
        summary = json.loads(finish(notifications, seconds=180)[-1])
    assert summary == {"people": 12, "delivered": {"mail": 6, "sms": 4, "push": 6}, "fallback": 4,
                       "unreached": ["user5", "user11"]}
    notices = {notice["name"]: notice for notice in lines(work / "notices.jsonl")}
    assert notices["user3"]["reached"] == ["mail"]
    assert [tried["channel"] for tried in notices["user3"]["tried"]] == ["push", "sms"]
    assert notices["user6"]["reached"] == ["mail", "sms", "push"] and notices["user6"]["tried"] == []
    mails = collections.Counter(mail["to"] for mail in lines(work / "box.jsonl"))
    assert len(mails) == 6 and set(mails.values()) == {1}
    asked = lines(work / "gateways.jsonl")
    assert max(request["together"] for request in asked if request["path"] == "/push") <= 2
    # A hundred a minute over both workers: 0.6 s apart, where tasks begin; requests arrive a little sooner or later.
    times = [request["time"] for request in asked if request["path"] == "/sms"]
    assert len(times) == 8 and times[-1] - times[0] > 7 * 0.6 - 0.3
    for worker in ("first", "second"):
        assert "Task notify." in (work / f"{worker}.log").read_text(), f"the {worker} worker did nothing"
