"""What can go wrong with a broker, sorted by whether waiting helps."""


class BrokerError(Exception):
    """The broker's or the address' fault; the text names the fix."""


class BrokerUnavailable(BrokerError, OSError):
    """Trying again later may work: not made yet, locked, away, disk full. Celery's retry policies apply."""


class BrokerRefused(BrokerError):
    """This broker, or this message, will not do, however often it is tried."""
