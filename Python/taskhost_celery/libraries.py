"""What libraries keep back to send later is sent when a child ends: Python's own exit handlers are not run then, as in
Celery's children."""
import sys

PATIENCE = 2.0  # seconds


def flush():
    sentry = sys.modules.get("sentry_sdk")
    if sentry is not None:
        quietly(sentry.flush, PATIENCE)
    telemetry = sys.modules.get("opentelemetry.trace")
    provider = telemetry and telemetry.get_tracer_provider()
    if hasattr(provider, "force_flush"):
        quietly(provider.force_flush, int(PATIENCE * 1000))


def quietly(function, *args):
    """What reports errors may not be one."""
    try:
        function(*args)
    except Exception as error:
        print(f"taskhost: {function.__module__} could not send what it had left: {error!r}", file=sys.stderr)
