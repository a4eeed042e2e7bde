"""Databases that keep results, one face for all: how each makes databases and users, and says what tests ask in SQL."""
import uuid

from lab import clients, settings
from servers.mariadb import MariaDB
from servers.postgresql import PostgreSQL


class OnPostgreSQL:
    user = "postgres"
    refusal = "authentication failed"
    version = "PostgreSQL 1"
    next_number = "nextval('task_id_sequence')"

    def __init__(self, folder, tls, syncs=False):
        self.server = PostgreSQL(folder, tls, syncs)

    def make_database(self, name):
        self.server.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self.server.sql(f"CREATE DATABASE {name}")

    def make_user(self, name, password):
        self.server.sql(f"CREATE ROLE {name} LOGIN SUPERUSER PASSWORD '{password}'")

    def set_password(self, name, password):
        self.server.sql(f"ALTER ROLE {name} PASSWORD '{password}'")

    @staticmethod
    def stock(url):
        """For Celery, with a driver of the tests' environment."""
        return "db+" + url.replace("postgresql:", "postgresql+psycopg2:")

    @staticmethod
    def minutes_ago(minutes):
        return f"localtimestamp - interval '{minutes} minutes'"

    @staticmethod
    def hex(column):
        return f"encode({column}, 'hex')"


class OnMariaDB:
    user = "tester"
    refusal = "Access denied"
    version = "MariaDB 1"
    next_number = "nextval(task_id_sequence)"

    def __init__(self, folder, tls, syncs=False):
        self.server = MariaDB(folder, tls, syncs)

    def make_database(self, name):
        self.server.sql(f"DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name}")

    def make_user(self, name, password):
        self.server.sql(f"CREATE USER {name}@'%' IDENTIFIED BY '{password}'; GRANT ALL ON *.* TO {name}@'%'")

    def set_password(self, name, password):
        self.server.sql(f"ALTER USER {name}@'%' IDENTIFIED BY '{password}'")

    @staticmethod
    def stock(url):
        return "db+" + url.replace("mysql:", "mysql+pymysql:")

    @staticmethod
    def minutes_ago(minutes):
        return f"UTC_TIMESTAMP() - INTERVAL {minutes} MINUTE"

    @staticmethod
    def hex(column):
        return f"HEX({column})"


ALL = [OnPostgreSQL, OnMariaDB]


class Road:
    """RabbitMQ as broker, a database of the test's own for results, and a client of both."""

    def __init__(self, place, user=None, password="", **configuration):
        self.place = place
        self.database = f"d{uuid.uuid4().hex[:8]}"
        place.make_database(self.database)
        self.broker = settings.server("AMQP_URL")
        self.backend = "db+" + place.server.url(user or place.user, password, self.database)
        self.app = clients.app(self.broker, place.stock(place.server.url(database=self.database)), **configuration)

    def send(self, name, *args, queue, **options):
        return self.app.send_task(name, args, queue=queue, **options)

    def sql(self, text):
        return self.place.server.sql(text, self.database)
