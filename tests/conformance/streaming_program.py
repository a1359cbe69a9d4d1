"""A Python runtime of a function's own that speaks the Runtime API's streaming mode: it does what its event says.

An event is a list of steps, each a list of a verb of `Run` and its arguments. The program takes the place of the
managed runtime by AWS_LAMBDA_EXEC_WRAPPER. It is sent into the sandbox as source, and imports nothing of ours.
"""

import base64
import json
import os
import resource
import signal
import socket
import time
from typing import Any

API = "/2018-06-01/runtime/invocation"
BLOCK = bytes(range(256)) * 256
OCTETS = "application/octet-stream"


class Connection:
    """Requests of the Runtime API, one after another."""

    def __init__(self) -> None:
        host, _, port = os.environ["AWS_LAMBDA_RUNTIME_API"].rpartition(":")
        self.host = host
        self.socket = socket.create_connection((host, int(port)))
        self.reader = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def head(self, method: str, path: str, *headers: str) -> None:
        self.send("\r\n".join((f"{method} {API}{path} HTTP/1.1", f"Host: {self.host}", *headers, "", "")).encode())

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        status = int(self.reader.readline().split()[1])
        headers = {}
        while line := self.reader.readline().strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, self.reader.read(int(headers["content-length"]))


class Run:
    """One invocation."""

    def __init__(self, connection: Connection, request_id: str) -> None:
        self.connection = connection
        self.path = f"/{request_id}"
        self.has_begun = False
        self.is_answered = False

    def do(self, steps: list[list[Any]]) -> None:
        for verb, *arguments in steps:
            getattr(self, verb)(*arguments)
        if not self.is_answered:
            self.end()

    def begin(self, content_type: str) -> None:
        self.has_begun = True
        self.connection.head(
            "POST",
            f"{self.path}/response",
            "Lambda-Runtime-Function-Response-Mode: streaming",
            "Transfer-Encoding: chunked",
            "Trailer: Lambda-Runtime-Function-Error-Type",
            "Trailer: Lambda-Runtime-Function-Error-Body",
            f"Content-Type: {content_type}",
        )

    def write(self, text: str) -> None:
        self._write(text.encode())

    def blocks(self, count: int) -> None:
        for _ in range(count):
            self._write(BLOCK)

    def fail(self, error_type: str, error: Any) -> None:
        body = base64.b64encode(json.dumps(error).encode()).decode()
        self.end(f"Lambda-Runtime-Function-Error-Type: {error_type}", f"Lambda-Runtime-Function-Error-Body: {body}")

    def end(self, *trailers: str) -> None:
        if not self.has_begun:
            self.begin(OCTETS)
        self.is_answered = True
        self.connection.send(("0\r\n" + "".join(f"{line}\r\n" for line in trailers) + "\r\n").encode())

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def say(self, text: str) -> None:
        print(text, flush=True)

    def peak(self) -> None:
        """The most memory that this process has ever had, into the stream."""
        self.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))

    def exit(self, code: int) -> None:
        os._exit(code)

    def kill(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def hang_up(self) -> None:
        self.connection.socket.shutdown(socket.SHUT_RDWR)
        time.sleep(60)

    def eat(self) -> None:
        hoard = []
        while True:
            hoard.append(b"x" * (1 << 20))

    def _write(self, data: bytes) -> None:
        if not self.has_begun:
            self.begin(OCTETS)
        self.connection.send(b"%x\r\n%s\r\n" % (len(data), data))


def main() -> None:
    connection = Connection()
    while True:
        connection.head("GET", "/next")
        _, headers, event = connection.answer()
        Run(connection, headers["lambda-runtime-aws-request-id"]).do(json.loads(event))
        print("the Runtime API said", connection.answer()[0], flush=True)


if __name__ == "__main__":
    main()
