"""A page with live figures, beside the program whose figures they are. Una página con cifras en vivo."""
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = """<!doctype html><meta charset="utf-8"><title>{title}</title><pre id="figures"></pre><script>
setInterval(async () => {{
  const figures = await (await fetch("/stats.json")).json()
  document.getElementById("figures").textContent = JSON.stringify(figures, null, 2)
}}, 500)</script>"""


def show(title, figures, port=0):
    """Serves `figures()`, a JSON text, at /stats.json of 127.0.0.1:PORT, and at / for people; prints the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            kind, body = ("application/json", figures()) if self.path == "/stats.json" else (
                "text/html", PAGE.format(title=title))
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *words):
            """Not a line for each look at the figures."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)


def until_enter():
    """Until then the page can be looked at: a line, or the end, of the standard input. Hasta entonces se puede mirar."""
    if sys.stdin.isatty():
        print("Enter: end / fin")
    sys.stdin.readline()
