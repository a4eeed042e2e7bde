"""When stock Celery's solar schedules, that is the library ephem, are due: pseudo-random events, places and instants.

solar.py COUNT SEED
One JSON line each: [event, latitude, longitude, last, next]; times in microseconds since 1970.
"""
import json
import random
import sys
from datetime import datetime, timedelta, timezone

from celery import Celery
from celery.schedules import solar

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
PLACES = [(52.52, 13.4), (-33.87, 151.21), (69.65, 18.96), (78.22, 15.65), (0, 0), (-90, 0), (90, 0), (-54.8, -68.3)]


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    rng = random.Random(seed)
    app = Celery(set_as_current=False)
    for _ in range(count):
        event = rng.choice(sorted(solar._all_events))
        latitude, longitude = round(rng.uniform(-90, 90), 3), round(rng.uniform(-180, 180), 3)
        if rng.random() < 0.2:
            latitude, longitude = rng.choice(PLACES)
        # From 2000 to 2050.
        last = EPOCH + timedelta(microseconds=rng.randrange(946_684_800_000_000, 2_524_608_000_000_000))
        due = last + solar(event, latitude, longitude, nowfun=lambda: last, app=app).remaining_estimate(last)
        times = [(time - EPOCH) // timedelta(microseconds=1) for time in (last, due)]
        print(json.dumps([event, latitude, longitude, *times]))


main()
