"""Stock Celery clients."""
import celery


def app(broker, backend, **settings):
    """A client as any Python program has it; it never uses the process-wide default app."""
    one = celery.Celery("journeys", broker=broker, backend=backend, set_as_current=False)
    one.conf.update(broker_connection_timeout=5, broker_transport_options={"confirm_publish": True}, **settings)
    return one
