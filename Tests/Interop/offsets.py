"""Offsets of time zones as Python's zoneinfo has them: `ZONE SECONDS OFFSET`, a line each.

    offsets.py COUNT SEED

For each of COUNT pseudo-random instants from 1900 to 2200 and zones of the system, and for the second before and after
some change of each.
"""
import random
import sys
import zoneinfo
from datetime import datetime, timezone

FIRST, LAST = -2_208_988_800, 7_258_118_400


def offset(zone, seconds):
    return int(datetime.fromtimestamp(seconds, timezone.utc).astimezone(zone).utcoffset().total_seconds())


def change(zone, chance):
    """The second at which the offset changes between two instants, or None."""
    low = chance.randrange(FIRST, LAST)
    high = low + 200 * 86_400
    before = offset(zone, low)
    if offset(zone, high) == before:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset(zone, middle) == before else (low, middle)
    return high


def main():
    chance = random.Random(int(sys.argv[2]))
    names = sorted(name for name in zoneinfo.available_timezones() if name not in ("GMT", "localtime"))
    for index in range(int(sys.argv[1])):
        name = names[index % len(names)]
        zone = zoneinfo.ZoneInfo(name)
        instants = [chance.randrange(FIRST, LAST)]
        found = change(zone, chance)
        if found is not None:
            instants += [found - 1, found]
        for seconds in instants:
            print(name, seconds, offset(zone, seconds))


if __name__ == "__main__":
    main()
