"""Python's Celery on the embedded broker of taskhost: a kombu transport and a result backend over its SQLite file.

Nothing here has to be imported by a program: `pip install` registers the scheme `sqlite` with kombu and Celery.

The file is taskhost's. Its tables and the rules of who may write when stand in Sources/Systems/SQLite of taskhost; this
package follows them and never makes or lifts a file.
"""
__version__ = "0.1.0"
