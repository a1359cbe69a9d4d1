"""What only the host can tell while a probe runs: was a port visible, a signal delivered, a process left?"""

import asyncio
import contextlib
import fcntl
import hashlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.escape.targets import Stage

Observer = Callable[[Stage, dict[str, Any], asyncio.Event], Awaitable[list[str]]]
"""Told by the event when the probe has ended."""

_GONE_SECONDS = 2.0


async def see_port(stage: Stage, targets: dict[str, Any], ended: asyncio.Event) -> list[str]:
    """P31: whether the host can connect to what the probe listens on."""
    del stage
    while not ended.is_set():
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", targets["visible_port"])
            writer.close()
            return [f"the host connects to port {targets['visible_port']}"]
        await asyncio.sleep(0.05)
    return []


async def use_shared_files(stage: Stage, targets: dict[str, Any], ended: asyncio.Event) -> list[str]:
    """X03: something for the probe to see, if it can."""
    del targets
    while not ended.is_set():
        for path in ("/usr/bin/env", str(stage.layer / "layer.txt")):
            with contextlib.suppress(OSError):
                os.close(os.open(path, os.O_RDONLY))
        await asyncio.sleep(0.05)
    return []


async def try_locks(stage: Stage, targets: dict[str, Any], ended: asyncio.Event) -> list[str]:
    """X05: whether the probe's locks keep the host out."""
    del targets
    path = stage.layer / "layer.txt"
    while not ended.is_set():
        descriptor = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return [f"the host can't lock {path.name} while the function holds it"]
        finally:
            os.close(descriptor)
        await asyncio.sleep(0.03)
    return []


OBSERVERS: dict[str, Observer] = {"P31": see_port, "X03": use_shared_files, "X05": try_locks}


class After:
    """Compared before and after each probe."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._digest = self._digest_of_files()
        self._processes = processes_of(stage.mark)
        stage.signals_to_victim()

    async def findings(self) -> list[str]:
        """What a probe did to the host, or left on it. What it left is ended."""
        found = []
        if count := self._stage.signals_to_victim():
            found.append(f"the victim got {count} signals")
        if self._stage.victim.poll() is not None:
            found.append("the victim is dead")
        if self._digest_of_files() != self._digest:
            found.append("files of the host were changed")
        for _ in range(int(_GONE_SECONDS / 0.05)):
            left = processes_of(self._stage.mark) - self._processes
            if not left:
                break
            await asyncio.sleep(0.05)
        for process in left:
            found.append(f"process {process} outlived its function")
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, 9)
        return found

    def _digest_of_files(self) -> str:
        digest = hashlib.sha256()
        for path in sorted(self._stage.root.rglob("*")):
            digest.update(f"{path} {path.lstat().st_mode:o}".encode())
            if path.is_file() and not path.is_symlink():
                digest.update(path.read_bytes())
        return digest.hexdigest()


def processes_of(mark: str) -> set[int]:
    """Processes whose command line names this run's plants: probes, and whatever they forked."""
    wanted = f"{mark}-planted".encode()
    found = set()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if wanted in Path(entry.path, "cmdline").read_bytes():
                    found.add(int(entry.name))
    return found
