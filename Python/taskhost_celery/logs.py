"""Logging within tasks: records go to the host with their level; it adds time and task id.

An app that sets up logging itself (the signal `setup_logging`, or `worker_hijack_root_logger = False` with handlers of
its own) keeps what it has done; what it writes to stderr the host logs line by line.
"""

import logging
import os
import sys

import _taskhost
from celery import signals
from celery.app.defaults import DEFAULT_PROCESS_LOG_FMT, DEFAULT_TASK_LOG_FMT
from celery.app.log import TaskFormatter
from celery.utils.log import get_logger

USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "task_id", "task_name", "data"}


class HostHandler(logging.Handler):
    def emit(self, record):
        try:
            text = self.format(record)
            level = 0 if record.levelno < 20 else 1 if record.levelno < 30 else 2 if record.levelno < 40 else 3
            if not _taskhost.log(level, text):
                print(text, file=sys.stderr)
        except Exception:
            self.handleError(record)


class Plain(TaskFormatter):
    """The message, what was given as `extra`, and the traceback."""

    def format(self, record):
        text = super().format(record)
        extra = [f"{name}={value!r}" for name, value in vars(record).items() if name not in USUAL]
        if not extra:
            return text
        first, newline, rest = text.partition("\n")
        return f"{first} [{' '.join(extra)}]{newline}{rest}"


def formatter(wanted, usual):
    """The app's own format, if it has set one; the usual one would say twice what the host says."""
    if wanted and wanted != usual:
        return TaskFormatter(wanted, use_color=False)
    return Plain("%(message)s", use_color=False)


def set_up(app):
    """Once, in the zygote, with the signals of Celery's own set-up."""
    level = logging.getLevelName(os.environ.get("TASKHOST_PYTHON_LOG_LEVEL", "INFO").upper())
    level = level if isinstance(level, int) else logging.INFO
    given = dict(loglevel=level, logfile=None, format=app.conf.worker_log_format, colorize=False)
    type(app.log)._setup = True
    if signals.setup_logging.send(sender=None, **given):
        return
    root, tasks = logging.getLogger(), get_logger("celery.task")
    if app.conf.worker_hijack_root_logger:
        for logger in (root, tasks, get_logger("celery"), get_logger("celery.redirected")):
            logger.handlers = []
    attach(root, formatter(app.conf.worker_log_format, DEFAULT_PROCESS_LOG_FMT))
    root.setLevel(level)
    signals.after_setup_logger.send(sender=None, logger=root, **given)
    attach(tasks, formatter(app.conf.worker_task_log_format, DEFAULT_TASK_LOG_FMT))
    tasks.setLevel(level)
    tasks.propagate = False
    given["format"] = app.conf.worker_task_log_format
    signals.after_setup_task_logger.send(sender=None, logger=tasks, **given)


def attach(logger, form):
    handler = HostHandler()
    handler.setFormatter(form)
    logger.addHandler(handler)
