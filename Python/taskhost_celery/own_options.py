"""Which options a task has set itself. Celery fills those that are unset from the app's settings when it binds the task, after
which a task that asks for `acks_late=False` looks like one that asks for nothing."""

#: Task class: the names of its options that were set before it was bound.
OWN = {}


def record():
    """Before the app is imported."""
    from celery.app.task import Task
    bind = Task.bind.__func__

    def recording(cls, app):
        OWN.setdefault(cls, frozenset(name for name, _ in cls.from_config if is_set(cls, name)))
        return bind(cls, app)
    Task.bind = classmethod(recording)


def is_set(task_class, name):
    """By the class or a base of it; not what binding has put there."""
    for one in task_class.__mro__:
        if name in one.__dict__:
            return name in OWN[one] if one in OWN else one.__dict__[name] is not None
    return False


def of(task, name, setting):
    """The option's value; None where the task leaves it to the app's setting."""
    value = getattr(task, name, None)
    # task_annotations come after the binding.
    return value if name in OWN.get(type(task), ()) or value != setting else None
