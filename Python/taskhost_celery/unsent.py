"""Signals that nobody sends here, and who of an app's waits for them."""
from celery import signals

NEVER = {
    "worker_before_create_process": "worker_process_init comes in the new process",
    "beat_init": "taskhost's beat imports no app: worker_ready comes in workers",
    "beat_embedded_init": "taskhost's beat imports no app: worker_ready comes in workers",
    "task_sent": "after_task_publish", "eventlet_pool_started": "worker_ready",
    "eventlet_pool_preshutdown": "worker_shutting_down", "eventlet_pool_postshutdown": "worker_shutdown",
    "eventlet_pool_apply": "task_received", "user_preload_options": "taskhost has options of its own",
}


def waited_for():
    """Signals that the app waits for in vain: name, who waits, and what there is instead."""
    return [(name, f"{function.__module__}.{getattr(function, '__qualname__', function)}", instead)
            for name, instead in NEVER.items() if hasattr(signals, name)
            for function in receivers(getattr(signals, name))]


def receivers(signal):
    """Those that are not Celery's own."""
    for _, found in signal.receivers:
        function = found() if hasattr(found, "__callback__") else found
        if function is not None and not getattr(function, "__module__", "celery.").startswith("celery."):
            yield function
