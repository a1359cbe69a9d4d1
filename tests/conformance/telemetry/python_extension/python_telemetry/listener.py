"""An HTTP server in a thread; batches are given on as the text that came."""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

HOST = "sandbox.localdomain"
PORT = 4243


Put = Callable[[str], object]


def start(put: Put) -> str:
    """Give every batch to `put`; the URI to subscribe with."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            put(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """What it would write could be told of again."""

    Thread(target=HTTPServer((HOST, PORT), Handler).serve_forever, daemon=True).start()
    return f"http://{HOST}:{PORT}"
