"""Uploads pictures, all at once, and follows them to their end. Envía imágenes y las sigue hasta el final.

    upload.py URL OPERATIONS FILE…

OPERATIONS as "resize:3000,blur,enhance". Prints a line of JSON for each change of a picture. The same with curl:
curl -F image=@photo.jpg -F operations=blur URL/upload, and curl URL/status/ID.
"""
import json
import os
import sys
import time
import urllib.request

url, operations, files = sys.argv[1], sys.argv[2].split(","), sys.argv[3:]
BOUNDARY = b"----boundary-of-upload.py"


def ask(path, body=None, kind=None):
    request = urllib.request.Request(f"{url}{path}", body, {"Content-Type": kind} if kind else {})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def upload(file):
    with open(file, "rb") as picture:
        fields = [(f'name="image"; filename="{os.path.basename(file)}"', picture.read())]
    fields += [('name="operations"', one.encode()) for one in operations]
    parts = [b"--%s\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (BOUNDARY, about.encode(), value)
             for about, value in fields]
    body = b"".join(parts) + b"--%s--\r\n" % BOUNDARY
    return ask("/upload", body, f"multipart/form-data; boundary={BOUNDARY.decode()}")["id"]


uploads = {file: upload(file) for file in files}
told = {}
while uploads:
    for file, number in list(uploads.items()):
        status = ask(f"/status/{number}")
        if status != told.get(file):
            told[file] = status
            print(json.dumps({"file": os.path.basename(file), "id": number, **status}), flush=True)
        # A chord ends when all members have; a failed one ends it at once. Un miembro fallido lo termina enseguida.
        if all(part["state"] in ("SUCCESS", "FAILURE") for part in status["parts"].values()) \
                and status["state"] in ("SUCCESS", "FAILURE"):
            del uploads[file]
    time.sleep(0.05)
