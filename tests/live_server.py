"""A real `lampion serve` in a process of its own, for tests; everything it makes carries this session's mark."""

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from lampion.cli.location import Server, server_of
from tests.witness import WITNESS

MARK = f"lampion-test-live-{os.getpid()}"
"""In the name of every directory and cgroup of this session's servers."""

ANY_MARK = re.compile(rf"lampion-test-(?:[a-z]+-)?{os.getpid()}(?![0-9])")
"""What servers, drivers and other things of this test session are called, so that leftovers can be told."""

READY_SECONDS = 30.0
STOP_SECONDS = 20.0
_DISKS_SECONDS = 5.0  # a sandbox doesn't wait for the end of its disk
_SESSION_LOCK = threading.Lock()
_numbers = itertools.count(1)


class NotReady(AssertionError):
    """The server ended, or didn't say in time that it listens; shows what it wrote."""


@dataclass(kw_only=True)
class LiveServer:
    """One data directory and, while started, one server process on it."""

    data: Path
    options: Sequence[str] = ()
    environ: dict[str, str] = field(default_factory=dict)
    cgroup_parent: str = field(default_factory=lambda: f"{MARK}-{next(_numbers)}")
    process: subprocess.Popen[bytes] | None = None
    wrapper: Sequence[str] = ()  # what starts the command; it must become it

    @property
    def output(self) -> str:
        """Everything that the servers on this directory have written, stdout and stderr."""
        try:
            return self._output_file.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    @property
    def server(self) -> Server:
        """Address and root key, found as `lampion` commands find them."""
        return server_of(self.data)

    @property
    def url(self) -> str:
        return self.server.url

    def start(self) -> Self:
        """Start and wait until it listens."""
        assert self.process is None, "already started"
        self.data.parent.mkdir(parents=True, exist_ok=True)
        already_written = len(self.output)
        command = [sys.executable, "-m", "lampion", "serve", "--listen", "127.0.0.1:0", "--data", str(self.data)]
        with self._output_file.open("ab") as output:
            self.process = subprocess.Popen(
                [*self.wrapper, *command, "--cgroup-parent", self.cgroup_parent, *self.options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**clean_environ(), **self.environ},
                start_new_session=True,  # the kernel weighs sessions, and ours may do much besides
            )
        self._wait_until_it_listens(already_written)
        return self

    def stop(self) -> int:
        """SIGTERM and wait; the exit code. Does nothing when it doesn't run."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL: no handler, no clean-up."""
        self._end(signal.SIGKILL)

    def restart(self) -> Self:
        """Kill -9, then start again on the same directory."""
        self.kill()
        return self.start()

    def client(self, service: str = "lambda", **config: Any) -> Any:
        """A boto3 client with the root key; no retries, so that every answer is seen."""
        server = self.server
        client = boto_client(
            service,
            endpoint_url=server.url,
            region_name=server.region,
            aws_access_key_id=server.access_key_id,
            aws_secret_access_key=server.secret_access_key,
            config=Config(**{"retries": {"total_max_attempts": 1}, "read_timeout": 60, **config}),
        )
        WITNESS.watch(client)
        return client

    def aws_environ(self) -> dict[str, str]:
        """What `lampion env` exports, on top of an environment without other AWS settings."""
        server = self.server
        return {
            **clean_environ(),
            "AWS_ENDPOINT_URL": server.url,
            "AWS_ACCESS_KEY_ID": server.access_key_id,
            "AWS_SECRET_ACCESS_KEY": server.secret_access_key,
            "AWS_REGION": server.region,
            "AWS_DEFAULT_REGION": server.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def log_of(self, name: str) -> list[str]:
        """The lines of a function's log, as `lampion logs` shows them."""
        command = [sys.executable, "-m", "lampion", "logs", name]
        shown = subprocess.run(command, env=self.aws_environ(), capture_output=True, text=True, timeout=60, check=True)
        return shown.stdout.splitlines()

    def __enter__(self) -> Self:
        return self if self.process is not None else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _output_file(self) -> Path:
        return self.data.with_name(self.data.name + ".output")

    def _end(self, number: signal.Signals) -> int:
        process, self.process = self.process, None
        if process is None:
            return 0
        process.send_signal(number)
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the server did not end on {number.name}; it wrote:\n{self.output}") from None

    def _wait_until_it_listens(self, already_written: int) -> None:
        assert self.process is not None
        end = time.monotonic() + READY_SECONDS
        while " listening on http" not in self.output[already_written:]:
            if self.process.poll() is not None or time.monotonic() > end:
                code = self._end(signal.SIGKILL)
                raise NotReady(f"the server is not ready (exit code {code}); it wrote:\n{self.output}")
            time.sleep(0.01)


@contextmanager
def marked_directory() -> Iterator[Path]:
    """A temporary directory whose path carries the mark; gone at the end."""
    path = Path(tempfile.mkdtemp(prefix=f"{MARK}-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def leftovers() -> list[str]:
    """What still carries this session's mark: cgroups, disks, and processes other than this one."""
    found = [f"cgroup {path}" for path in _cgroups()]
    give_up_at = time.monotonic() + _DISKS_SECONDS
    while (disks := list(_disks())) and time.monotonic() < give_up_at:
        time.sleep(0.01)
    found += [f"disk {path}" for path in disks]
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) != os.getpid() and any(
            ANY_MARK.search(_read(process / name).decode(errors="replace")) for name in ("cmdline", "environ", "cgroup")
        ):
            command = _read(process / "cmdline").replace(b"\0", b" ").decode(errors="replace")
            found.append(f"process {process.name}: {command}")
    return found


def _cgroups() -> Iterator[str]:
    # Without root, a driver in this process moves it to a leaf of its own, which can't be left.
    own = "/sys/fs/cgroup" + _read(Path("/proc/self/cgroup")).decode().rpartition("0::")[2].strip()
    for folder, names, _ in os.walk("/sys/fs/cgroup"):
        yield from (f"{folder}/{name}" for name in names if ANY_MARK.search(name) and f"{folder}/{name}" != own)


def _disks() -> Iterator[str]:
    for file in Path("/sys/block").glob("loop*/loop/backing_file"):
        path = _read(file).decode(errors="replace").strip()
        if ANY_MARK.search(path):
            yield path


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def boto_client(service: str, **arguments: Any) -> Any:
    """A client of boto3. Of one session, which reads models and prepares itself once: 5 ms instead of 50."""
    with _SESSION_LOCK:  # a session may be used by one thread at a time
        return _session().client(service, **arguments)


@cache
def _session() -> boto3.session.Session:
    return boto3.session.Session()


def clean_environ() -> dict[str, str]:
    """Ours without settings that would reach into a test: AWS_*, LAMPION_*, proxies."""
    unwanted = ("AWS_", "LAMPION_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(unwanted)}
