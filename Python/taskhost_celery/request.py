"""self.request: what a worker of Celery puts there, from the message; read when a task first asks."""
import json

import _taskhost
from celery import current_app
from celery.app.task import Context

ID, NAME, ROOT, PARENT, GROUP, HEADERS, PROPERTIES = 1, 2, 3, 4, 5, 8, 9
RETRIES, SOFT, HARD = 1, 4, 5

hostname = None  # set by child.prepare
# An instance's own names, whatever it has been asked for.
own = Context.__dict__["__dict__"].__get__


class Late:
    """A field that is read from the message when it is first asked for. What is assigned goes before it."""

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, request, owner=None):
        if request is None:
            return getattr(Context, self.name)
        request.read()
        return own(request).get(self.name, getattr(Context, self.name))


class Request(Context):
    """One attempt's request."""

    called_directly = False

    def __init__(self, args, kwargs, embed):
        fields = own(self)
        fields["args"] = args
        fields["kwargs"] = kwargs
        fields["_embed"] = embed

    @property
    def __dict__(self):
        self.read()
        return own(self)

    def __getattr__(self, name):
        """What no Context has by itself: `lang`, `origin`, headers of the sender's own."""
        fields = own(self)
        if "_embed" in fields:
            self.read()
            if name in fields:
                return fields[name]
        raise AttributeError(f"'Context' object has no attribute {name!r}")

    def as_dict(self):
        """As Celery's tracer is given it."""
        fields = dict(self.__dict__)
        del fields["called_directly"]
        return fields

    def read(self):
        """Everything that the message says; once."""
        fields = own(self)
        embed = fields.pop("_embed", None)
        if embed is None:
            return
        assigned = dict(fields)
        fields.update(from_message(), **embed)
        fields["hostname"] = hostname
        fields["is_eager"] = fields["called_directly"] = False
        fields.update(assigned)
        if fields.get("headers") is None:
            fields["headers"] = self._get_custom_headers(fields)
        if fields.get("ignore_result") is None and fields.get("lang") == "taskhost":
            # What the host sends after a task leaves it to who runs it; Celery's workers have it say so.
            fields["ignore_result"] = current_app.tasks[fields["task"]].ignore_result
        limits = fields.get("timelimit")
        if limits and hasattr(Context, "time_limit"):  # not before Celery 5.7
            fields["time_limit"], fields["soft_time_limit"] = limits[0], limits[1]


def _late_fields():
    own = ("args", "kwargs", "called_directly")
    for name, value in vars(Context).items():
        if not name.startswith("_") and name not in own and not callable(value) and not isinstance(value, property):
            field = Late()
            field.__set_name__(Request, name)
            setattr(Request, name, field)


_late_fields()


def from_message():
    """The fields that Celery's worker takes from headers and properties."""
    headers, properties = _taskhost.text(HEADERS), _taskhost.text(PROPERTIES)
    fields = json.loads(headers) if headers else {}
    if "id" not in fields:
        # Protocol 1 says it in the body, and an errback that is called here has no message at all.
        fields = {"headers": fields, "id": _taskhost.text(ID), "task": _taskhost.text(NAME),
                  "root_id": _taskhost.text(ROOT), "parent_id": _taskhost.text(PARENT), "group": _taskhost.text(GROUP),
                  "timelimit": [_taskhost.number(HARD) or None, _taskhost.number(SOFT) or None]}
    properties = json.loads(properties) if properties else {}
    delivery = properties.pop("delivery_info", None) or {}
    fields["properties"] = properties
    fields["reply_to"] = properties.get("reply_to")
    fields["correlation_id"] = properties.get("correlation_id")
    fields["delivery_info"] = delivery
    fields["retries"] = int(_taskhost.number(RETRIES))
    return fields
