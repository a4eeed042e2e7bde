"""A stub of an OpenTelemetry collector: takes OTLP/HTTP in JSON, keeps the spans."""
import http.server
import json
import threading


class Collector:
    """`status` is what it answers with; spans count only when it is 200."""

    def __init__(self):
        self.status = 200
        self.requests = []
        self.lock = threading.Lock()
        self.kept = []
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with collector.lock:
                    collector.requests.append((self.path, dict(self.headers), body))
                    if collector.status == 200:
                        collector.kept += spans(body)
                self.send_response(collector.status)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_address[1]}/v1/traces"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans(self):
        with self.lock:
            return list(self.kept)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def spans(body):
    """Flat: attributes as a dict, events by name, the resource's attributes as `resource`."""
    found = []
    for resource in body["resourceSpans"]:
        of = attributes(resource["resource"])
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                events = {event["name"]: attributes(event) for event in span["events"]}
                found.append({**span, "attributes": attributes(span), "events": events, "resource": of})
    return found


def attributes(of):
    return {one["key"]: next(iter(one["value"].values())) for one in of["attributes"]}
