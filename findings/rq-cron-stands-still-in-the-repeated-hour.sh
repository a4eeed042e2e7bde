#!/usr/bin/env bash
# RQ's cron: a job for every quarter of an hour is not queued for 75 minutes in the night that the clocks go back.
#
# Software: rq 3.0.0, croniter 7.0.0 (PyPI), CPython 3.11, tzdata of Debian 12.
# Behaviour: the expression is matched with local time, and a local time that comes twice counts only at its first
# coming. For a job of once a day that is right. A job of every 15 minutes misses the four runs of the second hour, one
# of every hour the run of one hour; nothing is logged. In spring nothing is lost: 01:45 is followed by 03:00, 15 minutes
# later.
# Seen: Europe/Berlin, 25 October 2026: after 02:45 +02:00 comes 03:00 +01:00, 75 minutes later.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install rq==3.0.0 croniter==7.0.0
TZ=Europe/Berlin "$folder/venv/bin/python" - <<'PYTHON'
import sys
from datetime import datetime, timezone

from rq.cron import CronJob


def report():
    pass


def minutes_between(job, start, count):
    gaps = []
    for _ in range(count):
        job.set_enqueue_time(start)
        gaps.append(round((job.next_enqueue_time - start).total_seconds() / 60))
        print(f"{start.astimezone():%d %B %H:%M %z}  next: {job.next_enqueue_time.astimezone():%H:%M %z}")
        start = job.next_enqueue_time
    return gaps


autumn = minutes_between(CronJob("reports", func=report, cron="*/15 * * * *"),
                         datetime(2026, 10, 25, 0, 15, tzinfo=timezone.utc), 4)
spring = minutes_between(CronJob("reports", func=report, cron="*/15 * * * *"),
                         datetime(2026, 3, 29, 0, 30, tzinfo=timezone.utc), 4)
print("minutes, autumn:", autumn, "spring:", spring)
sys.exit(not (autumn == [15, 15, 75, 15] and spring == [15] * 4))
PYTHON
