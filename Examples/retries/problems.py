"""The classes that the bundle's failures are in Python. Las clases que en Python son los fallos del bundle."""


class ServiceBusy(Exception):
    """url, status"""


class NotFound(Exception):
    pass


class InvalidOrder(Exception):
    pass
