#!/usr/bin/env bash
# Two daily jobs whose time of day does not exist on one day: APScheduler runs the one at 02:30, and drops the one at
# midnight for that day.
#
# Software: APScheduler 3.11.3, croniter 7.0.0, cronsim 2.8, tzdata 2026.6 (PyPI), CPython 3.11.
# Behaviour: a clock that jumps over 02:30 (New York, 14 March 2027) makes CronTrigger name a wall time that does not
# exist, an hour after the last one that did, so the job runs on that day. A clock that jumps over midnight (Cairo,
# 30 April 2027) makes it look at the next day instead: the job has no run on 30 April, and the next one is 47 hours
# after the one before. croniter and cronsim run both jobs on that day, at the first moment after the gap.
# Seen: a line for each library, times in UTC; APScheduler has 4 runs in New York and 3 in Cairo, the others 4 and 4.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install \
    apscheduler==3.11.3 croniter==7.0.0 cronsim==2.8 tzdata==2026.6
seen=$(PYTHONTZPATH="" "$folder/venv/bin/python" - <<'PYTHON'
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from croniter import croniter
from cronsim import CronSim


def by_apscheduler(text, start, end):
    trigger, before, now = CronTrigger.from_crontab(text, timezone=start.tzinfo), None, start
    while (found := trigger.get_next_fire_time(before, now)) and found.astimezone(timezone.utc) < end:
        yield found
        before, now = found, (found.astimezone(timezone.utc) + timedelta(seconds=1)).astimezone(start.tzinfo)


def by_croniter(text, start, end):
    times = croniter(text, start)
    while (found := times.get_next(datetime)).astimezone(timezone.utc) < end:
        yield found


def by_cronsim(text, start, end):
    for found in CronSim(text, start):
        if found.astimezone(timezone.utc) >= end:
            return
        yield found


for zone, text, first in (("America/New_York", "30 2 * * *", (2027, 3, 12, 12)), ("Africa/Cairo", "0 0 * * *", (2027, 4, 28, 12))):
    start = datetime(*first, tzinfo=ZoneInfo(zone))
    end = start.astimezone(timezone.utc) + timedelta(days=4)
    for library in (by_apscheduler, by_croniter, by_cronsim):
        times = [one.astimezone(timezone.utc).strftime("%d.%m %H:%M") for one in library(text, start, end)]
        print(f"{zone} '{text}' {library.__name__[3:]}: {len(times)} runs: {', '.join(times)}")
PYTHON
)
echo "$seen"
[ "$seen" = "America/New_York '30 2 * * *' apscheduler: 4 runs: 13.03 07:30, 14.03 07:30, 15.03 06:30, 16.03 06:30
America/New_York '30 2 * * *' croniter: 4 runs: 13.03 07:30, 14.03 07:00, 15.03 06:30, 16.03 06:30
America/New_York '30 2 * * *' cronsim: 4 runs: 13.03 07:30, 14.03 07:00, 15.03 06:30, 16.03 06:30
Africa/Cairo '0 0 * * *' apscheduler: 3 runs: 28.04 22:00, 30.04 21:00, 01.05 21:00
Africa/Cairo '0 0 * * *' croniter: 4 runs: 28.04 22:00, 29.04 22:00, 30.04 21:00, 01.05 21:00
Africa/Cairo '0 0 * * *' cronsim: 4 runs: 28.04 22:00, 29.04 22:00, 30.04 21:00, 01.05 21:00" ]
