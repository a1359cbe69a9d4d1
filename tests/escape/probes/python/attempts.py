"""How a probe tells what it tried: each attempt runs in a child of its own and is open or held, with evidence."""

import errno
import json
import os
import re
import select
import signal
import traceback
from collections.abc import Callable
from typing import Any

SECRET = re.compile(rb"lampion-secret-[a-z]+-[0-9a-f]{32}")
"""What the suite hides where a function must not get; probes carry no secret themselves."""

_EVIDENCE_BYTES = 200


class Attempts:
    """What one probe has tried so far."""

    def __init__(self, targets: dict[str, Any]) -> None:
        self.targets = targets
        self.told: list[dict[str, Any]] = []

    def tell(self, name: str, is_open: bool, evidence: object) -> None:
        self.told.append({"name": name, "open": bool(is_open), "evidence": str(evidence)[:_EVIDENCE_BYTES]})

    def attempt(
        self,
        name: str,
        action: Callable[[], object],
        proof: Callable[[Any], object] | None = None,
        seconds: float = 10.0,
    ) -> None:
        """Open when `action` returns (and `proof` accepts what it returned); held when the kernel refuses it."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _try(action, proof, writing)
        os.close(writing)
        answer = _read(reading, seconds)
        os.close(reading)
        if answer is None:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if answer:
            is_open, evidence = json.loads(answer)
            if is_open is None:
                raise RuntimeError(f"{name}: {evidence}")
            self.tell(name, is_open, evidence)
        elif answer is None:
            raise RuntimeError(f"{name}: no answer in {seconds:g} s")
        else:
            self._tell_of_death(name, status)

    def read(self, name: str, path: str) -> None:
        """Open when the file holds a secret of somebody else."""
        self.attempt(name, lambda: contents(path), SECRET.search)

    def exists(self, name: str, path: str, flags: int = os.O_RDONLY) -> None:
        """Open when the file can be opened so; nothing is read or written."""
        self.attempt(name, lambda: f"descriptor {os.open(path, flags | os.O_NONBLOCK)} of {path}")

    def _tell_of_death(self, name: str, status: int) -> None:
        if not os.WIFSIGNALED(status):
            raise RuntimeError(f"{name}: ended with {status} and said nothing")
        self.tell(name, False, f"killed by {signal.Signals(os.WTERMSIG(status)).name}")


def contents(path: str, size: int = 1 << 16) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return os.read(descriptor, size)
    finally:
        os.close(descriptor)


def _try(action: Callable[[], object], proof: Callable[[Any], object] | None, writing: int) -> None:
    is_open: bool | None
    try:
        result = action()
        is_open = True if proof is None else bool(proof(result))
        found = SECRET.search(result) if isinstance(result, bytes) else None
        evidence = found[0].decode() if found else repr(result)
    except OSError as error:
        is_open, evidence = False, errno.errorcode.get(error.errno or 0, str(error))
    except BaseException:
        is_open, evidence = None, traceback.format_exc()
    os.write(writing, json.dumps([is_open, evidence[: _EVIDENCE_BYTES * 8]]).encode())
    os._exit(0)


def _read(reading: int, seconds: float) -> bytes | None:
    """All that comes; None when the time is over first."""
    content = b""
    while select.select([reading], [], [], seconds)[0]:
        chunk = os.read(reading, 65536)
        if not chunk:
            return content
        content += chunk
        if content.endswith(b"]"):
            return content
    return None


Probe = Callable[[Attempts], None]
PROBES: dict[str, Probe] = {}


def probe(name: str) -> Callable[[Probe], Probe]:
    """Registers a probe, `P35` or with a part `P35:tmpfs`."""

    def register(function: Probe) -> Probe:
        PROBES[name] = function
        return function

    return register
