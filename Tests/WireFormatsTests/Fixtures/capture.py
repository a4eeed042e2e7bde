"""Writes bodies.json, results.json and signed.json: what a stock Kombu and Celery make of the same values.

Run by hand with the journeys' Python when their versions change:
    "$(Tests/Support/venv)" Tests/WireFormatsTests/Fixtures/capture.py
"""
import base64
import datetime
import json
import os
import subprocess
import tempfile

from celery import Celery
from celery.backends.base import KeyValueStoreBackend
from celery.security.certificate import Certificate
from celery.security.key import PrivateKey
from celery.security.serialization import SecureSerializer
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from kombu import compression, serialization
from kombu.utils.json import dumps

HERE = os.path.dirname(os.path.abspath(__file__))
SHARED = {"k": [1, "two"]}
PLAIN = [
    [2, 3.5, -7, 1.0, "Grüße \U0001f600 \"quoted\"\n", True, None, 2**40, 1e300, 1e16, "yes", "1e5", "012", ""],
    {"kw": {"nested": [[], {}]}, "again": SHARED, "and again": SHARED},
    {"callbacks": None, "errbacks": None, "chain": None, "chord": None},
]
WITH_BYTES = [[b"text", b"\xff\x00\x01"], {}, {}]
WITH_TIMES = [
    [datetime.datetime(2024, 1, 2, 3, 4, 5, 6, datetime.timezone.utc), datetime.date(2024, 1, 2),
     datetime.datetime(2024, 1, 2, 3, 4, 5)], {}, {}]
METHODS = ["zlib", "bzip2", "lzma", "brotli", "zstd"]


def entry(value, serializer, method=None):
    content_type, encoding, body = serialization.dumps(value, serializer)
    body = body.encode() if isinstance(body, str) else body
    header = None
    if method:
        body, header = compression.compress(body, method)
    return {
        "serializer": serializer, "content_type": content_type, "content_encoding": encoding, "compression": header,
        "body": base64.b64encode(body).decode(), "json": dumps(value),
    }


def write(name, value):
    with open(os.path.join(HERE, name), "w") as out:
        json.dump(value, out, indent=1)
        out.write("\n")


def bodies():
    for serializer in ["json", "yaml", "msgpack"]:
        for method in [None, *METHODS]:
            yield entry(PLAIN, serializer, method)
        yield entry(WITH_BYTES, serializer)
    for serializer in ["json", "yaml"]:
        yield entry(WITH_TIMES, serializer)


class Compressing(KeyValueStoreBackend):
    """As the Redis backend."""

    supports_result_compression = True


def results():
    for serializer in ["json", "yaml", "msgpack"]:
        for method in [None, *METHODS]:
            app = Celery("fixtures", set_as_current=False)
            app.conf.update(result_serializer=serializer, result_compression=method)
            backend = Compressing(app, serializer=serializer)
            backend.compression = backend.prepare_compression(method)
            meta = {"status": "SUCCESS", "result": PLAIN[1]["again"], "traceback": None, "children": [],
                    "date_done": "2026-11-23T12:00:00+00:00", "task_id": "U1"}
            document = backend.encode(meta)
            document = document.encode() if isinstance(document, str) else document
            yield {"serializer": serializer, "compression": method, "json": dumps(meta),
                   "document": base64.b64encode(document).decode()}


def signed():
    with tempfile.TemporaryDirectory() as folder:
        key, cert = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "36500", "-subj", "/O=Acme/CN=w1",
             "-set_serial", "123456", "-keyout", key, "-out", cert], check=True, capture_output=True)
        texts = {"key": open(key).read(), "certificate": open(cert).read()}
    certificate = Certificate(texts["certificate"])
    packer = SecureSerializer(PrivateKey(texts["key"]), certificate, None, "sha256", "json")
    body = packer.serialize(PLAIN)
    # The same payload, signed as many libraries do by default: with a salt of the digest's length.
    short = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    payload = serialization.dumps(PLAIN, "json")[2].encode()
    short_salt = PrivateKey(texts["key"])._key.sign(payload, short, hashes.SHA256())
    return {**texts, "id": certificate.get_id(), "json": dumps(PLAIN),
            "short_salt": base64.b64encode(short_salt).decode(), "body": body if isinstance(body, str) else body.decode()}


write("bodies.json", list(bodies()))
write("results.json", list(results()))
write("signed.json", signed())
