"""A stock Celery client that signs its commands: a program of its own, since signing changes the whole process.

signing_control.py BROKER KEY CERTIFICATE STORE NODE METHOD ARGUMENTS(JSON): prints the replies as JSON.
"""
import json
import sys

import celery

broker, key, certificate, store, node, method, arguments = sys.argv[1:]
app = celery.Celery("signing", broker=broker)
app.conf.update(security_key=key, security_certificate=certificate, security_cert_store=store, task_serializer="auth",
                accept_content=["auth"])
app.setup_security(allowed_serializers=["json"])
print(json.dumps(app.control.broadcast(
    method, arguments=json.loads(arguments), destination=[node], reply=True, timeout=10)))
