"""The app's beat_schedule as [schedules.NAME]."""
from datetime import timedelta
from numbers import Real

from .values import plain


def schedules(found):
    for name, entry in sorted((found.conf.get("beat_schedule") or {}).items()):
        try:
            one(found, str(name), entry)
        except ValueError as error:
            found.refuse("beat_schedule", "%s: %s" % (name, error), part=str(name))


def one(found, name, entry):
    task, when = entry.get("task"), entry.get("schedule")
    if not task:
        raise ValueError("it names no task")
    keys = timing(found, when, entry)
    keys["task"] = str(getattr(task, "name", task))
    if entry.get("args"):
        keys["args"] = plain(list(entry["args"]))
    if entry.get("kwargs"):
        keys["kwargs"] = plain(dict(entry["kwargs"]))
    options = dict(entry.get("options") or {})
    queue = options.pop("queue", None)
    if queue is not None:
        keys["queue"] = getattr(queue, "name", queue)
    if options.get("priority") is not None:
        keys["priority"] = int(options.pop("priority"))
    expires = options.pop("expires", None)
    if isinstance(expires, timedelta):
        expires = expires.total_seconds()
    if isinstance(expires, Real):
        keys["expires"] = float(expires)
    elif expires is not None:
        options["expires"] = expires
    for key, value in keys.items():
        found.add(["schedules", name, key], value, "beat_schedule")
    # Celery sends a late one at once, too, and once.
    for option in sorted(option for option in options if options[option] is not None):
        found.refuse("beat_schedule", "%s: its option %s is not sent" % (name, option), part=name)


def timing(found, when, entry):
    from celery.schedules import crontab, schedule, solar
    if isinstance(when, timedelta):
        when = schedule(when, relative=bool(entry.get("relative")))
    elif isinstance(when, Real):
        when = schedule(timedelta(seconds=float(when)), relative=bool(entry.get("relative")))
    zone = zone_of(found)
    if type(when) is crontab:
        fields = (when._orig_minute, when._orig_hour, when._orig_day_of_month, when._orig_month_of_year,
                  when._orig_day_of_week)
        return dict({"cron": " ".join(field(value) for value in fields)}, **zone)
    if type(when) is solar:
        return dict({"solar": when.event, "latitude": float(when.lat), "longitude": float(when.lon)}, **zone)
    if type(when) is schedule:
        keys = {"every": when.run_every.total_seconds()}
        if when.relative:
            keys.update(relative=True, **zone)
        return keys
    raise ValueError("its schedule is a %s of its own: run `celery beat` beside the workers" % type(when).__name__)


def field(value):
    if isinstance(value, str):
        return "".join(value.split())
    if isinstance(value, Real):
        return str(int(value))
    return ",".join(str(part) for part in sorted(value))


def zone_of(found):
    zone = found.app.timezone
    name = getattr(zone, "key", None) or getattr(zone, "zone", None) or str(zone)
    if type(zone).__name__ in ("LocalTimezone", "tzlocal") or name.startswith("<"):
        name = "local"
    return {} if name in ("UTC", "utc") else {"timezone": name}
