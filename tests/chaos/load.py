"""Clients that change functions as fast as they can until the server dies under them, and write down what they know."""

import base64
import hashlib
import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from tests.chaos.history import AcceptLog, Contents, Phase
from tests.deployment import creation, zipped

_NAMES_PER_CLIENT = 5
_CONFLICT = 409


def source(number: int) -> str:
    """A handler that tells which code and which configuration it runs with."""
    return (
        "import os\n\n"
        f"def handler(event, context):\n    return {{'code': {number}, 'marker': int(os.environ['MARKER'])}}\n"
    )


def code(number: int) -> tuple[bytes, str]:
    """The zip of that number, and its CodeSha256."""
    zip_file = zipped(source(number))
    return zip_file, base64.b64encode(hashlib.sha256(zip_file).digest()).decode()


def configuration(marker: int) -> dict[str, Any]:
    """Every member carries the marker, so that a mixture of two configurations shows."""
    return {
        "Description": f"marker {marker}",
        "Environment": {"Variables": {"MARKER": str(marker)}},
        "Timeout": 1 + marker % 100,
        "MemorySize": 128 + marker % 1000,
    }


def markers(shown: dict[str, Any], marker: int) -> tuple[int, ...]:
    """What each part of a configuration that the server shows says, given that its description says `marker`."""
    expected = configuration(marker)
    parts = {name: shown.get(name) for name in expected}
    return (marker, *(marker if parts[name] == value else -1 for name, value in expected.items()))


class Counters:
    """Numbers for codes and markers, never used twice."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._codes: dict[str, int] = {}

    def next(self) -> int:
        return next(self._numbers)

    def new_code(self) -> tuple[bytes, str]:
        number = self.next()
        zip_file, code_sha256 = code(number)
        self._codes[code_sha256] = number
        return zip_file, code_sha256

    def code_number(self, code_sha256: str) -> int:
        return self._codes[code_sha256]


@dataclass
class Client:
    """Changes functions of its own, one after another. `present` is what it knows of them, also after a restart."""

    label: str
    log: AcceptLog
    counters: Counters
    rng: Random
    present: dict[str, Contents | None] = field(default_factory=dict)
    surprises: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.present = {f"chaos-{self.label}-{number}": None for number in range(_NAMES_PER_CLIENT)}

    def work(self, client: Any, stopping: threading.Event) -> None:
        """Until the server is gone; an attempt that it didn't answer is the last."""
        while not stopping.is_set():
            name = self.rng.choice(list(self.present))
            try:
                self._change(client, name)
            except (HTTPClientError, BotoCoreError):
                return
            except ClientError as error:
                self.surprises.append(f"{name}: {error}")
                return

    def _change(self, client: Any, name: str) -> None:
        now = self.present[name]
        if now is None:
            zip_file, code_sha256 = self.counters.new_code()
            contents = Contents(code_sha256, self.counters.next())
            wanted = {**creation(name, ""), "Code": {"ZipFile": zip_file}, **configuration(contents.marker)}
            self._attempt(name, contents, lambda: client.create_function(**wanted))
            return
        match self.rng.choice(("code", "configuration", "configuration", "delete")):
            case "code":
                zip_file, code_sha256 = self.counters.new_code()
                contents = Contents(code_sha256, now.marker)
                self._attempt(name, contents, lambda: client.update_function_code(FunctionName=name, ZipFile=zip_file))
            case "configuration":
                contents = Contents(now.code_sha256, self.counters.next())
                changes = configuration(contents.marker)
                self._attempt(
                    name, contents, lambda: client.update_function_configuration(FunctionName=name, **changes)
                )
            case _:
                self._attempt(name, None, lambda: client.delete_function(FunctionName=name))

    def _attempt(self, name: str, contents: Contents | None, ask: Any) -> None:
        self.log.write(name, Phase.ASKED, contents)
        try:
            ask()
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != _CONFLICT:
                raise
            self.log.write(name, Phase.REFUSED, contents)
            return
        self.log.write(name, Phase.ACKNOWLEDGED, contents)
        self.present[name] = contents


@dataclass
class Caller:
    """Invokes functions all the time, so that the server dies with sandboxes at work."""

    clients: list[Client]
    rng: Random
    calls: int = 0

    def work(self, client: Any, stopping: threading.Event) -> None:
        while not stopping.is_set():
            owner = self.rng.choice(self.clients)
            name = self.rng.choice(list(owner.present))
            try:
                client.invoke(FunctionName=name, Payload=b"{}")
                self.calls += 1
            except ClientError:
                stopping.wait(0.005)  # it isn't there, or not yet
            except (HTTPClientError, BotoCoreError):
                return


@contextmanager
def working(workers: Sequence[Client | Caller], client: Any) -> Iterator[None]:
    """All at work, each in a thread; they have ended when the block ends."""
    stopping = threading.Event()
    threads = [threading.Thread(target=worker.work, args=(client, stopping)) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
