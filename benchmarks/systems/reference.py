"""The two floors: the two-hop reference and the raw echo, started from their files."""

import hashlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.functions import EVENT
from benchmarks.systems.child import LOOPBACK, child, free_port, plain_environ, wait_until_listening
from benchmarks.systems.endpoint import Endpoint, invoke
from benchmarks.systems.environment import our_version
from benchmarks.systems.system import Running, Scratch, WarmFunction

FILES = Path(__file__).resolve().parent.parent / "reference"


class Reference:
    """A server that is one file and takes its port as argument."""

    workloads = frozenset({"warm_c1", "warm_c16", "boto3_felt"})

    def __init__(self, name: str, file: str) -> None:
        self.name = name
        self._file = FILES / file

    def missing(self) -> str | None:
        return None

    def versions(self) -> Mapping[str, str]:
        return {
            "uvloop": our_version("uvloop"),
            "httptools": our_version("httptools"),
            f"{self._file.name} sha256": hashlib.sha256(self._file.read_bytes()).hexdigest()[:16],
        }

    @contextmanager
    def running(self, scratch: Scratch) -> Iterator[Running]:
        port = free_port()
        argv = [sys.executable, "-I", self._file, str(port)]
        with child(argv, plain_environ(scratch.directory), scratch.directory, scratch.output) as server:
            wait_until_listening(server, port, 10)
            endpoint = Endpoint(f"http://{LOOPBACK}:{port}")
            invoke(endpoint.invoke_request("function", EVENT))
            yield Running(WarmFunction(endpoint, "function", server.tree))
