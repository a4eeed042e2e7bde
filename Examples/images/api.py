"""The web API: pictures come in, their way through the worker can be followed. La API: recibe imágenes y dice cómo van.

    api.py ADDRESS FOLDER

ADDRESS is the broker's and the results'. It prints its port.

    POST /upload          a form with the file `image`, and `operations`, any number: blur, rotate, resize, enhance, each
                          perhaps with its measure, as blur:5  ->  {"id": …}
    GET /status/ID        {"state": …, "parts": {…}, "pictures": […]}
    GET /pictures/NAME    a picture that was made
    POST /done            where the worker's hook tells of uploads that are done; they are noted in FOLDER/done.jsonl

All it knows lies in the results: it may be restarted, or run several times. Todo lo que sabe está en los resultados.
"""
import email
import json
import os
import re
import sys
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from celery import Celery, chord

address, folder = sys.argv[1:]
app = Celery(broker=address, backend=address)
UPLOADS, PICTURES = (os.path.join(folder, name) for name in ("uploads", "pictures"))
SUFFIXES = (".jpg", ".png", ".webp")
PARTS = ("thumbnail", "processed", "watermarked")
MEASURES = {"blur": ("sigma", 5), "rotate": ("degrees", 90), "resize": ("width", 800), "enhance": ("contrast", 1.5)}
MOST_BYTES = 20 << 20


def part_id(upload, part):
    """The id of a task, out of the upload's: nothing has to be kept. El id de la tarea sale del id del envío."""
    return str(uuid.uuid5(uuid.UUID(upload), part))


def operation(text):
    """blur:5 -> {"operation": "blur", "sigma": 5.0}"""
    name, _, measure = text.partition(":")
    key, usual = MEASURES[name]
    value = float(measure) if measure else usual
    return {"operation": name, key: int(value) if key == "width" else value}


def process(upload, path, operations):
    """Side by side, then collected: the chord's result has the upload's id. En paralelo; después se reúnen."""
    name = f"{upload}{os.path.splitext(path)[1]}"
    header = [
        app.signature("images.thumbnail", (path,), {"width": 160, "output_dir": PICTURES}),
        app.signature("images.process", (path, operations), {"output_dir": PICTURES}),
        app.signature("gallery.watermark", (path, "© taskhost", os.path.join(PICTURES, f"watermarked-{name}"))),
    ]
    for part, task in zip(PARTS, header):
        task.set(task_id=part_id(upload, part))
    collect = app.signature("gallery.collect", kwargs={"index": os.path.join(PICTURES, f"{upload}.json")})
    chord(header, collect, app=app).apply_async(task_id=upload)


def status(upload):
    whole = app.AsyncResult(upload)
    parts = {}
    for part in PARTS:
        task = app.AsyncResult(part_id(upload, part))
        state, info = task.state, task.info
        parts[part] = {"state": state}
        if state == "PROGRESS":
            parts[part].update(info)
        elif state == "FAILURE":
            parts[part]["reason"] = f"{type(info).__name__}: {info}"
    answer = {"state": whole.state, "parts": parts}
    if whole.state == "SUCCESS":
        made = [one if isinstance(one, str) else one["output"] for one in whole.result]
        answer["pictures"] = [os.path.basename(path) for path in made]
    return answer


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        if length > MOST_BYTES:
            return self.say(413, {"error": f"more than {MOST_BYTES} bytes"})
        body = self.rfile.read(length)
        if self.path == "/upload":
            return self.upload(body)
        if self.path == "/done":
            event = json.loads(body)
            with open(os.path.join(folder, "done.jsonl"), "a") as done:
                done.write(json.dumps({"id": event["task"]["id"], "event": event["event"]}) + "\n")
            return self.say(200, {})
        return self.say(404, {"error": "there are /upload and /done"})

    def upload(self, body):
        kind = self.headers.get("Content-Type", "")
        form = email.message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
        operations, image = [], None
        for field in form.get_payload() if form.is_multipart() else []:
            if field.get_param("name", header="Content-Disposition") == "image":
                image = field
            else:
                operations.append(field.get_payload(decode=True).decode())
        suffix = os.path.splitext(image.get_filename() or "")[1].lower() if image else None
        if suffix not in SUFFIXES:
            return self.say(400, {"error": f"send a file `image`: {', '.join(SUFFIXES)}"})
        try:
            operations = [operation(text) for text in operations]
        except (KeyError, ValueError):
            return self.say(400, {"error": f"operations: {', '.join(MEASURES)}, each perhaps with a number: blur:5"})
        upload = str(uuid.uuid4())
        path = os.path.join(UPLOADS, upload + suffix)
        with open(path, "wb") as file:
            file.write(image.get_payload(decode=True))
        process(upload, path, operations)
        return self.say(202, {"id": upload})

    def do_GET(self):
        kind, _, name = self.path[1:].partition("/")
        if kind == "status" and re.fullmatch("[0-9a-f-]{36}", name):
            if any(os.path.exists(os.path.join(UPLOADS, name + suffix)) for suffix in SUFFIXES):
                return self.say(200, status(name))
        path = os.path.join(PICTURES, name)
        if kind == "pictures" and re.fullmatch(r"\w[\w.-]*", name) and os.path.isfile(path):
            with open(path, "rb") as file:
                return self.say(200, file.read())
        return self.say(404, {"error": "not there"})

    def say(self, code, answer):
        self.send_response(code)
        self.send_header("Content-Type", "application/octet-stream" if isinstance(answer, bytes) else "application/json")
        self.end_headers()
        self.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    def log_message(self, *words):
        """Not a line for each request."""


for needed in (UPLOADS, PICTURES):
    os.makedirs(needed, exist_ok=True)
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
