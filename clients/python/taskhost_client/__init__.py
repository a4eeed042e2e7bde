"""Python's Celery on the brokers of taskhost that kombu does not know: the embedded one (a SQLite file) and PostgreSQL.

Nothing here has to be imported by a program: `pip install` registers the schemes `sqlite` and `postgresql` with kombu, and
the result backend of the file with Celery.
"""
__version__ = "0.1.0"
