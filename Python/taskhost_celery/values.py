"""Values of Python as JSON has them."""
from datetime import timedelta
from numbers import Real


def plain(value):
    """Raises ValueError: JSON has no such value."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, dict):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(inner) for inner in value]
    raise ValueError("a %s is no value that JSON has" % type(value).__name__)


def seconds(value):
    """Of a time span; None is none."""
    if value is None:
        return 0.0
    return value.total_seconds() if isinstance(value, timedelta) else float(value)


def shown(name, value):
    """For people: short, and without secrets."""
    from celery.app.utils import HIDDEN_SETTINGS
    from kombu.utils.url import maybe_sanitize_url
    if HIDDEN_SETTINGS.search(name) and isinstance(value, (str, bytes)):
        return "********"
    if isinstance(value, str):
        return ";".join(maybe_sanitize_url(part) if "://" in part else part for part in value.split(";"))
    if isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value):
        return ", ".join(shown(name, part) for part in value)
    if isinstance(value, (dict, list, tuple, set)):
        return "%d entries" % len(value)
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
