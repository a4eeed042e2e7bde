"""A stock Celery client with setup_security: a program of its own, since that changes the whole process.

signing_client.py BROKER BACKEND KEY CERTIFICATE STORE QUEUE ELSEWHERE: sends a signed chain, prints its first result
and what the host has signed for ELSEWHERE, which is verified here.
"""
import json
import sys

import celery
from kombu import Connection

broker, backend, key, certificate, store, queue, elsewhere = sys.argv[1:]
app = celery.Celery("signing", broker=broker, backend=backend)
app.conf.update(
    security_key=key, security_certificate=certificate, security_cert_store=store, task_serializer="auth",
    accept_content=["auth"], result_accept_content=["json"])
app.setup_security(allowed_serializers=["json"])

step = app.signature("tasks.add", (4, 6), queue=queue)
result = (step | app.signature("tasks.add", (1,), queue=elsewhere)).apply_async()
value = result.parent.get(timeout=15)
with Connection(broker) as connection:
    waiting = connection.SimpleQueue(elsewhere, queue_opts={"passive": True})
    message = waiting.get(timeout=15)
    message.accept = {"application/data"}
    message.ack()
    print(json.dumps({"result": value, "next": message.decode()[0], "type": message.content_type}))
