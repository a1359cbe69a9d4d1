"""The Runtime API (2018-06-01) over one keep-alive connection; an answer and the next request leave in one write.

A Runtime API that offers it gets both in one request, which halves the work on either side.
"""

import sys

from _socket import AF_INET, IPPROTO_TCP, SOCK_STREAM, TCP_NODELAY, socket

if False:
    from typing import Dict, Tuple

_PREFIX = "/2018-06-01/runtime/"
_PIPELINED_BODY_BYTES = 65536  # a larger body goes out on its own: joining would copy it, and it may be refused
_READ_BYTES = 65536
_HEAD_END = b"\r\n\r\n"


class ConnectionEnded(Exception):
    """The Runtime API is gone: this process has nothing left to do."""


class Event:
    """One invocation as the Runtime API describes it; absent headers are None."""

    __slots__ = (
        "request_id", "trace_id", "invoked_function_arn", "deadline_ms", "client_context",
        "cognito_identity", "tenant_id", "content_type", "body", "invocation_id", "offers_next",
    )  # fmt: skip

    def __init__(self, headers: "Dict[str, str]", body: bytes) -> None:
        get = headers.get
        self.request_id = get("lambda-runtime-aws-request-id", "")
        self.trace_id = get("lambda-runtime-trace-id")
        self.invoked_function_arn = get("lambda-runtime-invoked-function-arn")
        self.deadline_ms = int(get("lambda-runtime-deadline-ms") or 0)
        self.client_context = get("lambda-runtime-client-context")
        self.cognito_identity = get("lambda-runtime-cognito-identity")
        self.tenant_id = get("lambda-runtime-aws-tenant-id")
        self.content_type = get("content-type")
        self.invocation_id = get("lambda-runtime-invocation-id")
        self.offers_next = "lampion-runtime-next" in headers
        self.body = body


class RuntimeClient:
    """One runtime's side of the Runtime API. Every call may raise ConnectionEnded."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._address = (host, int(port))
        self._host_header = "Host: " + address + "\r\n"
        line = "GET " + _PREFIX + "invocation/next HTTP/1.1\r\n"
        self._get_next = (line + self._host_header + "\r\n").encode()
        self._pending = b""
        self._connect()

    def next(self) -> Event:
        """Wait for an invocation."""
        self._send(self._get_next)
        return self._next_event()

    def respond(self, event: Event, body: bytes, content_type: str) -> Event:
        """Post the handler's response and wait for the next invocation. Raises RuntimeError when it is refused."""
        return self._answer(event, "response", body, "Content-Type: " + content_type + "\r\n")

    def fail(self, event: Event, body: bytes, error_type: str, cause: str) -> Event:
        """Post the handler's failure with its X-Ray cause; otherwise as `respond`."""
        headers = (
            "Content-Type: application/json\r\n"
            "Lambda-Runtime-Function-Error-Type: " + _one_line(error_type) + "\r\n"
            "Lambda-Runtime-Function-XRay-Error-Cause: " + cause + "\r\n"
        )
        return self._answer(event, "error", body, headers)

    def fail_init(self, body: bytes, error_type: str) -> None:
        """Post that the handler can't be loaded. Raises RuntimeError when it is refused."""
        self._fail_phase("init", body, error_type)

    def restore_next(self) -> None:
        """Wait until the snapshot can be taken. Raises RuntimeError when it can't."""
        self._send(("GET " + _PREFIX + "restore/next HTTP/1.1\r\n" + self._host_header + "\r\n").encode())
        status, _, _ = self._read_answer()
        if status != 200:
            raise RuntimeError("Failed to wait for the snapshot: %d" % status)

    def fail_restore(self, body: bytes, error_type: str) -> None:
        """Post that the restored process can't go on. Raises RuntimeError when it is refused."""
        self._fail_phase("restore", body, error_type)

    def close(self) -> None:
        """Give the connection up; `anew` makes another one."""
        self._socket.close()

    def anew(self) -> "RuntimeClient":
        """A client of the Runtime API that this process has now."""
        return RuntimeClient("%s:%d" % self._address)

    def _fail_phase(self, phase: str, body: bytes, error_type: str) -> None:
        error_header = "Lambda-Runtime-Function-Error-Type: " + _one_line(error_type) + "\r\n"
        self._send(self._post(phase + "/error", body, error_header) + body)
        status, _, _ = self._read_answer()
        if status != 202:
            raise RuntimeError("Failed to post %s error: %d" % (phase, status))

    def _answer(self, event: Event, kind: str, body: bytes, headers: str) -> Event:
        if event.offers_next:
            return self._answer_and_next(event, kind, body, headers)
        if event.invocation_id is not None:
            headers += "Lambda-Runtime-Invocation-Id: " + event.invocation_id + "\r\n"
        head = self._post("invocation/" + event.request_id + "/" + kind, body, headers)
        if len(body) <= _PIPELINED_BODY_BYTES:
            self._send(head + body + self._get_next)
            self._check_accepted(kind)
        else:
            self._send(head)
            self._send(body)
            self._check_accepted(kind)
            self._send(self._get_next)
        return self._next_event()

    def _answer_and_next(self, event: Event, kind: str, body: bytes, headers: str) -> Event:
        """Lampion's own server takes the answer as a request for the next event, and says so with each event."""
        headers += "Lampion-Runtime-Next: true\r\n"
        self._send(self._post("invocation/" + event.request_id + "/" + kind, body, headers) + body)
        status, answer_headers, answer = self._read_answer()
        if status != 200:
            self._refused(kind, status)
        return Event(answer_headers, answer)

    def _post(self, path: str, body: bytes, headers: str) -> bytes:
        line = f"POST {_PREFIX}{path} HTTP/1.1\r\n"
        head = f"{line}{self._host_header}{headers}Content-Length: {len(body)}\r\n\r\n"
        return head.encode("utf-8", "surrogateescape")

    def _check_accepted(self, kind: str) -> None:
        status, _, _ = self._read_answer()
        if not 200 <= status <= 299:
            self._refused(kind, status)

    def _refused(self, kind: str, status: int) -> None:
        import time

        text = "[ERROR] [%d] LAMBDA_RUNTIME Failed to post handler success response. Http response code: %d. \n"
        sys.stdout.write(text % (time.time() * 1000, status))
        raise RuntimeError("Failed to post invocation " + kind)

    def _next_event(self) -> Event:
        if not self._pending:
            try:
                self._pending = self._receive()
            except ConnectionEnded:
                self._connect()  # a server may close after each answer; it then hasn't seen this request
                self._send(self._get_next)
        status, headers, body = self._read_answer()
        if status != 200:
            raise RuntimeError("LAMBDA_RUNTIME Failed to get next invocation: %d" % status)
        return Event(headers, body)

    # -- the connection --

    def _connect(self) -> None:
        try:
            self._socket = socket(AF_INET, SOCK_STREAM)
            self._socket.connect(self._address)
            self._socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        except OSError:
            raise ConnectionEnded from None

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError:
            raise ConnectionEnded from None

    def _receive(self) -> bytes:
        """What comes next, as much of it as is there."""
        try:
            received = self._socket.recv(_READ_BYTES)
        except OSError:
            received = b""
        if not received:
            raise ConnectionEnded
        return received

    def _read_answer(self) -> "Tuple[int, Dict[str, str], bytes]":
        head, end, rest = (self._pending or self._receive()).partition(_HEAD_END)
        while not end:
            head, end, rest = (head + self._receive()).partition(_HEAD_END)
        self._pending = rest
        lines = head.decode("utf-8", "surrogateescape").split("\r\n")
        status = int(lines[0][9:12])  # after "HTTP/1.1 "
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip(" \t")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return status, headers, self._read_chunks()
        return status, headers, self._take(int(headers.get("content-length", 0)))

    def _take(self, size: int) -> bytes:
        """The next `size` bytes."""
        pending = self._pending
        if len(pending) < size:
            missing = size - len(pending)
            rest = bytearray(missing)
            self._receive_into(memoryview(rest))
            self._pending = b""
            return pending + rest
        self._pending = pending[size:]
        return pending[:size]

    def _receive_into(self, view: memoryview) -> None:
        while len(view):
            try:
                count = self._socket.recv_into(view)
            except OSError:
                count = 0
            if not count:
                raise ConnectionEnded
            view = view[count:]

    def _read_chunks(self) -> bytes:
        parts = []
        while True:
            size = int(self._line().split(b";")[0], 16)
            if size == 0:
                while self._line():
                    pass  # trailers
                return b"".join(parts)
            parts.append(self._take(size))
            self._line()

    def _line(self) -> bytes:
        while b"\r\n" not in self._pending:
            self._pending += self._receive()
        line, _, self._pending = self._pending.partition(b"\r\n")
        return line


def _one_line(text: str) -> str:
    """Text that can't end a header: class names may hold anything."""
    return text.replace("\r", " ").replace("\n", " ")
