"""Stock Celery clients."""
import celery
import kombu.pools


def app(broker, backend, **settings):
    """A client as any Python program has it; it never uses the process-wide default app."""
    one = celery.Celery("journeys", broker=broker, backend=backend, set_as_current=False)
    one.conf.update(broker_connection_timeout=5, broker_transport_options={"confirm_publish": True}, **settings)
    return one


def close_pools():
    """Ends the connections of every client of this process.

    kombu keeps them by address, not by client: the next test's client would get one that a restart of the server has
    broken, and what it asks first by remote control would fail, since that is not sent again.
    """
    kombu.pools.reset()
