from celery import shared_task
from django.db import transaction
from django.db.models import F

from .models import Poll


@shared_task
def vote(poll):
    with transaction.atomic():
        Poll.objects.filter(pk=poll).update(votes=F("votes") + 1)
        return Poll.objects.get(pk=poll).votes


@shared_task
def divide(x, y):
    return x / y


@shared_task
def total(numbers):
    return sum(numbers)


@shared_task
def tick():
    Poll.objects.create(question="tick")
