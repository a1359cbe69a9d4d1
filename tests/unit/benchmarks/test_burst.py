"""Many requests at once: each answer is timed and compared, and none is sent before all are connected."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.measure import burst

AT_ONCE = 20


@dataclass(frozen=True)
class Post:
    url: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"x"


class Answers(BaseHTTPRequestHandler):
    """Waits until as many requests have come as there are; then echoes, unless the path says otherwise."""

    protocol_version = "HTTP/1.1"
    everybody = threading.Barrier(AT_ONCE, timeout=10)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.everybody.wait()
        self.send_response(500 if self.path == "/bad" else 200)
        if self.path == "/failing":
            self.send_header("X-Amz-Function-Error", "Unhandled")
        body = b"other" if self.path == "/other" else body
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_all_are_under_way_together_and_wrong_answers_are_counted(url):
    targets = ["/bad", "/failing", "/other", *["/right"] * (AT_ONCE - 3)]

    seen = burst.send([Post(f"{url}{target}", target) for target in targets], b"x")

    assert seen.wrong_answers == 3
    assert len(seen.seconds) == AT_ONCE
    assert 0 < max(seen.seconds) <= seen.total_seconds
