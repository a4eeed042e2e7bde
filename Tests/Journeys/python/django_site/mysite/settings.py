"""A small site: a database in a file, django-celery-beat, django-celery-results."""
import os

SECRET_KEY = "of a test"
INSTALLED_APPS = ["django.contrib.contenttypes", "django_celery_beat", "django_celery_results", "polls"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["SITE_DATABASE"],
                         "OPTIONS": {"timeout": 20}}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "Europe/Madrid"

CELERY_BROKER_URL = os.environ["SITE_BROKER"]
CELERY_RESULT_BACKEND = os.environ["SITE_BACKEND"]
CELERY_TASK_DEFAULT_QUEUE = os.environ["SITE_QUEUE"]
CELERY_TASK_TRACK_STARTED = True
# Without it django-celery-results keeps no traceback.
CELERY_RESULT_EXTENDED = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
