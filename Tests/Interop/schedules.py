"""When stock Celery would run next: pseudo-random schedules, zones and instants, one JSON line each.

schedules.py COUNT SEED
Lines: ["cron", expression, zone, last, next], ["every", seconds, zone, last, next]; times in microseconds since 1970;
next is null where Celery refuses the schedule.
"""

import json
import random
import re
import sys
import zoneinfo
from datetime import datetime, timedelta, timezone

from celery import Celery
from celery.schedules import crontab, schedule

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo",
         "Pacific/Apia", "Asia/Tehran", "Europe/Dublin", "Asia/Tokyo", "America/St_Johns", "Pacific/Chatham",
         "Africa/Cairo", "America/Santiago", "Asia/Kathmandu", "Europe/London", "Australia/Sydney"]
NAMES = ["sun", "Monday", "tue", "WED", "thursday", "fri", "sat", "jan", "February", "mar", "dec"]
FIELDS = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)]
# What Celery takes although it is no such expression: text after a complete part, digits of other kinds, signs.
PART = re.compile(r"(\*|[0-9a-zA-Z]+(-[0-9a-zA-Z]+)?)(/[0-9a-zA-Z]+)?")

apps = {}


def app(zone):
    if zone not in apps:
        apps[zone] = Celery(set_as_current=False)
        apps[zone].conf.timezone = zone
    return apps[zone]


def part(rng, low, high):
    def value():
        if rng.random() < 0.1:
            return rng.choice(NAMES)
        return str(rng.randint(low, high) if rng.random() < 0.97 else rng.randint(0, 70))

    kind = rng.random()
    if kind < 0.25:
        return "*"
    if kind < 0.45:
        return f"*/{rng.choice([1, 2, 3, 5, 7, 10, 15, 30, 100])}"
    if kind < 0.7:
        return value()
    if kind < 0.85:
        return f"{value()}-{value()}"
    return f"{value()}-{value()}/{rng.randint(1, 12)}"


def expression(rng):
    fields = []
    for low, high in FIELDS:
        if rng.random() < 0.4:
            fields.append("*")
        else:
            fields.append(",".join(part(rng, low, high) for _ in range(rng.choice([1, 1, 1, 2, 3]))))
    if rng.random() < 0.05:
        index = rng.randrange(5)
        at = rng.randrange(len(fields[index]) + 1)
        fields[index] = fields[index][:at] + rng.choice("0123456789*/-,amx") + fields[index][at:]
    return " ".join(fields)


def instant(rng, zone):
    """Near a change of the clock as often as not."""
    time = EPOCH + timedelta(microseconds=rng.randrange(10**15, 2 * 10**15))
    if rng.random() < 0.5:
        tz = zoneinfo.ZoneInfo(zone)
        offset = time.astimezone(tz).utcoffset()
        for day in range(1, 400):
            if (time + timedelta(days=day)).astimezone(tz).utcoffset() != offset:
                time += timedelta(days=day) - timedelta(seconds=rng.randrange(2 * 86400))
                break
    return time if rng.random() < 0.3 else time.replace(second=0, microsecond=0)


def microseconds(time):
    return (time - EPOCH) // timedelta(microseconds=1)


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    rng = random.Random(seed)
    made = 0
    while made < count:
        zone = rng.choice(ZONES)
        last = instant(rng, zone)
        if rng.random() < 0.8:
            what, text = "cron", expression(rng)
            if not all(PART.fullmatch(part) or not part for part in re.split("[ ,]", text)):
                continue
            try:
                minute, hour, day_of_month, month_of_year, day_of_week = text.split(" ")
                made_schedule = crontab(minute, hour, day_of_week, day_of_month, month_of_year,
                                        nowfun=lambda: last, app=app(zone))
            except Exception as error:
                if type(error).__name__ not in ("ParseException", "ValueError"):
                    raise
                made_schedule = None
        else:
            what = "every"
            text = rng.choice([1, 10, 59, 60, 90, 300, 1800, 3600, 5400, 7200, 86399, 86400, 129600, 604800])
            made_schedule = schedule(text, relative=True, nowfun=lambda: last.astimezone(zoneinfo.ZoneInfo(zone)),
                                     app=app(zone))
        following = None
        if made_schedule is not None:
            start = last if what == "cron" else last.astimezone(zoneinfo.ZoneInfo(zone))
            following = microseconds(last + made_schedule.remaining_estimate(start))
        print(json.dumps([what, text, zone, microseconds(last), following]))
        made += 1


main()
