"""A task's options as the host knows them. What the task leaves to the app's settings stays unset: those are the
worker's own settings, below what the operator says."""
import inspect
import json
import os
from functools import partial

from celery.utils.functional import arity_greater

from . import own_options

UNLIMITED = 2**31 - 1
NEVER = -1
MOST_PARAMETERS = 32


# Of Celery's own tasks, those that are about results.
ABOUT_RESULTS = frozenset(("celery.backend_cleanup", "celery.chord_unlock"))


def own_tasks(app):
    """The app's tasks without Celery's own: the host has these, but where it has no store for the app's results."""
    theirs = ABOUT_RESULTS if os.environ.get("TASKHOST_PYTHON_RESULTS") == "app" else ()
    return [task for name, task in sorted(app.tasks.items()) if not name.startswith("celery.") or name in theirs]


def of(task, app):
    """A dict with names of taskhost_options (taskhost.h)."""
    conf = app.conf
    return {
        "max_retries": UNLIMITED if task.max_retries is None else task.max_retries or NEVER,
        "soft_limit": soft_limit(task, conf),
        "hard_limit": own_options.of(task, "time_limit", conf.task_time_limit),
        "retry_delay": task.default_retry_delay,
        "rate_limit": rate(task.rate_limit),
        "acks_late": switch(task, "acks_late", conf.task_acks_late),
        "track_started": switch(task, "track_started", conf.task_track_started),
        "ignore_result": switch(task, "ignore_result", conf.task_ignore_result),
        "store_errors_even_if_ignored": switch(task, "store_errors_even_if_ignored",
                                               conf.task_store_errors_even_if_ignored),
        "reject_on_worker_lost": switch(task, "reject_on_worker_lost", conf.task_reject_on_worker_lost),
        "acks_on_failure": acks_on(task, conf, "failure"),
        "acks_on_timeout": acks_on(task, conf, "timeout"),
        "takes_failure": 1 if takes_failure(task) else None,
        "queue": getattr(task, "queue", None),
        "keep": int(os.environ.get("TASKHOST_PYTHON_KEEP") or 0),
        "doc": sentence(task),
    }


def soft_limit(task, conf):
    """None, too, where it is never reached, which Celery refuses only when such a task is sent."""
    soft, hard = task.soft_time_limit, task.time_limit
    return None if soft and hard and soft >= hard else own_options.of(task, "soft_time_limit", conf.task_soft_time_limit)


def takes_failure(task):
    """Whether Celery calls it with (request, exception, traceback) when it is an errback."""
    header = getattr(task, "__header__", None)
    return header is not None and not isinstance(header, partial) and bool(arity_greater(header, 1))


def switch(task, name, setting):
    """Three-valued; None where the task leaves it to the app's setting."""
    value = own_options.of(task, name, setting)
    return None if value is None else 1 if value else -1


def acks_on(task, conf, ending):
    """acks_on_failure and acks_on_timeout (Celery 5.7), with the older acks_on_failure_or_timeout for both."""
    own = switch(task, f"acks_on_{ending}", getattr(conf, f"task_acks_on_{ending}", None))
    return own or switch(task, "acks_on_failure_or_timeout", conf.task_acks_on_failure_or_timeout)


def rate(limit):
    """"10/m" as it is; a bare number means per second."""
    if limit is None or limit == 0:
        return None
    text = str(limit)
    return text if "/" in text else text + "/s"


def sentence(task):
    """The first paragraph of the task's documentation."""
    text = inspect.getdoc(task.run) if task.run.__doc__ else None
    return " ".join(text.split("\n\n")[0].split()) if text else None


def signature(task):
    """The parameters as text, by which limits find an argument and `taskhost bundles` shows it; None where Python's
    parameters are more than the text can say."""
    try:
        parameters = list(inspect.signature(task.run).parameters.values())
    except (TypeError, ValueError):
        return None
    words = []
    for one in parameters:
        if one.kind is one.KEYWORD_ONLY or not one.name.isascii():
            return None
        word = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "") + one.name + ":json"
        if one.default is not one.empty:
            try:
                word += "=" + json.dumps(one.default)
            except (TypeError, ValueError):
                return None
        words.append(word)
    return ",".join(words) + "->json" if len(words) <= MOST_PARAMETERS else None
