"""The process that hears of what the host does: Celery's main process sends these signals, and ours imports no app.

It is forked at the end of loading, so it has what the app has been told so far, belongs to the host, and gets one line of
JSON for each signal. Only an app that has receivers for one of them has it. Each signal is sent when its line is read; the
last is worker_shutdown. An exception in a receiver is logged by Celery and hurts nobody.
"""
import ast
import faulthandler
import json
import os
import signal
import sys

import _taskhost
import billiard.util
from billiard.einfo import ExceptionInfo
from celery import signals
from celery.app.task import Context
from celery.exceptions import InvalidTaskError
from celery.utils.log import get_logger

from . import consumer, handlers, libraries, options, process, threads, unsent, worker_signals

LIFE = ("worker_ready", "worker_shutting_down", "worker_shutdown", "heartbeat_sent")
OF_TASKS = ("task_revoked", "task_rejected", "task_unknown", "task_failure")
logger = get_logger("celery.worker.consumer.consumer")


def wanted(app):
    """The signals that somebody waits for."""
    names = [name for name in LIFE + OF_TASKS if any(unsent.receivers(getattr(signals, name)))]
    if "task_failure" not in names and any(
            handlers.own(task, "on_failure") or handlers.own(task, "after_return") for task in options.own_tasks(app)):
        names.append("task_failure")
    return names


def start(app, talk, foreign):
    """In the zygote. `foreign`: descriptors that are the runner's."""
    names = wanted(app) if talk.socket else []
    if not names:
        return
    sys.stdout.flush()
    sys.stderr.flush()
    helper = _taskhost.fork_beside()
    if helper is None:
        print(f"taskhost: no process for signals can be started, so these are not sent: {', '.join(names)}",
              file=sys.stderr)
    elif helper:
        try:
            begin(foreign - {0, 1, 2, talk.socket.fileno()})
            talk.say({"pid": os.getpid(), "helper": helper, "signals": names})
            serve(app, talk.socket.makefile("rb"))
        except BaseException:
            logger.exception("the process that sends signals has failed")
        finally:
            end()


def begin(foreign):
    process.hears_host = True
    for descriptor in foreign:
        try:
            os.close(descriptor)
        except OSError:
            pass
    # The host says when it is over, whoever else is sent these.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    faulthandler.enable()
    billiard.util._run_after_forkers()
    if threads.again:
        threads.start_again()


def end():
    try:
        libraries.flush()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(0)


def serve(app, lines):
    for line in lines:
        event = json.loads(line)
        name = event["signal"]
        try:
            SENDERS[name](app, event)
        except Exception:
            logger.exception("the signal %s cannot be sent", name)
        if name == "worker_shutdown":
            return


def ready(app, event):
    signals.worker_ready.send(sender=consumer.of(app))


def shutting_down(app, event):
    signals.worker_shutting_down.send(sender=process.hostname(), sig=event["sig"], how=event["how"],
                                      exitcode=event["exitcode"])


def shutdown(app, event):
    signals.worker_shutdown.send(sender=worker_signals.worker)


def heartbeat(app, event):
    signals.heartbeat_sent.send(sender=consumer.of(app))


def revoked(app, event):
    told = event["task"]
    task = app.tasks.get(told["name"])
    if task is not None:
        signals.task_revoked.send(sender=task, request=context(told), terminated=event["terminated"],
                                  signum=event["signum"], expired=event["expired"])


def unknown(app, event):
    told = event["task"]
    signals.task_unknown.send(sender=consumer.of(app), message=Message(told), exc=KeyError(told["name"]),
                              name=told["name"], id=told["id"])


def rejected(app, event):
    reason = event.get("reason")
    signals.task_rejected.send(sender=consumer.of(app), message=Message(event["task"]),
                               exc=InvalidTaskError(reason) if reason else None)


def failed(app, event):
    """Where no child can: its time was over, it died, or gave its message back."""
    told, fault = event["task"], event["exception"]
    task = app.tasks.get(told["name"])
    if task is None:
        return
    request = context(told)
    arguments = json.loads(fault["arguments"])
    error = app.backend.exception_to_python(
        {"exc_type": fault["type"], "exc_module": fault["module"], "exc_message": arguments})
    try:
        raise error
    except type(error):
        info = ExceptionInfo()
    if fault["traceback"]:
        info.traceback = fault["traceback"]
    task.request_stack.push(request)
    try:
        trace = info.traceback
        if fault["type"] == "TimeLimitExceeded":
            trace = error.__traceback__
            task.on_failure(error, request.id, request.args, request.kwargs, info)
            if handlers.own(task, "after_return"):
                task.after_return("FAILURE", error, request.id, request.args, request.kwargs, None)
        signals.task_failure.send(sender=task, task_id=request.id, exception=error, args=request.args,
                                  kwargs=request.kwargs, traceback=trace, einfo=info)
    finally:
        task.request_stack.pop()


SENDERS = {
    "worker_ready": ready, "worker_shutting_down": shutting_down, "worker_shutdown": shutdown,
    "heartbeat_sent": heartbeat, "task_revoked": revoked, "task_unknown": unknown, "task_rejected": rejected,
    "task_failure": failed,
}


class Message:
    """As much of a kombu message as is known of one that has been refused."""

    body = payload = None
    content_type = "application/json"
    content_encoding = "utf-8"
    acknowledged = True

    def __init__(self, told):
        self.headers = told["headers"]
        self.properties = {"correlation_id": told["id"]}
        self.delivery_info = delivery(told)


def delivery(told):
    return {"routing_key": told["routing_key"], "exchange": "", "priority": None, "redelivered": None}


def context(told):
    """self.request, of what the host knows of the message: arguments as its short texts have them."""
    fields = dict(told["headers"], id=told["id"], task=told["name"], retries=told["retries"],
                  args=value(told["args"], ()), kwargs=value(told["kwargs"], {}), delivery_info=delivery(told),
                  hostname=process.hostname(), called_directly=False, is_eager=False)
    made = Context(fields)
    made.headers = made._get_custom_headers(told["headers"])
    return made


def value(text, nothing):
    """Of Python's notation; what is cut short stays a text."""
    try:
        return ast.literal_eval(text) if text else nothing
    except (ValueError, SyntaxError):
        return text
