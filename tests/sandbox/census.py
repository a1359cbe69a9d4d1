"""All processes with their words and open files; those of our user's own ids are seen from its launchers' namespaces.

Run as a program it prints what it sees from where it was started.
"""

import contextlib
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Seen:
    """What could be read of a process; unreadable things are empty."""

    words: str = ""
    files: tuple[str, ...] = ()

    def __or__(self, other: "Seen") -> "Seen":
        return Seen(self.words + other.words, self.files + other.files)


def everything() -> dict[int, Seen]:
    """Every process by its number, but this one."""
    found = look()
    if os.geteuid() != 0:
        for namespace in _launchers_namespaces(found):
            for pid, seen in _look_from(namespace).items():
                found[pid] = found.get(pid, Seen()) | seen
    found.pop(os.getpid(), None)
    return found


def look() -> dict[int, Seen]:
    """What can be read from here."""
    return {int(path.name): Seen(_words(path), _files(path)) for path in Path("/proc").glob("[0-9]*")}


def _look_from(namespace: str) -> dict[int, Seen]:
    enter = ["nsenter", f"--user={namespace}", "--preserve-credentials", sys.executable, "-S", __file__]
    done = subprocess.run(enter, capture_output=True, text=True, check=False)
    if done.returncode != 0:  # its last process has ended
        return {}
    return {int(pid): Seen(seen["words"], tuple(seen["files"])) for pid, seen in json.loads(done.stdout).items()}


def _launchers_namespaces(found: dict[int, Seen]) -> set[str]:
    """One file for each user namespace that a launcher of ours made."""
    namespaces: dict[str, str] = {}
    for pid, seen in found.items():
        with contextlib.suppress(OSError):
            if "lampion-launch" in seen.words and Path(f"/proc/{pid}").stat().st_uid == os.geteuid():
                namespaces[str(Path(f"/proc/{pid}/ns/user").readlink())] = f"/proc/{pid}/ns/user"
    namespaces.pop(str(Path("/proc/self/ns/user").readlink()), None)
    return set(namespaces.values())


def _words(process: Path) -> str:
    text = b""
    for name in ("cmdline", "environ"):
        with contextlib.suppress(OSError):
            text += (process / name).read_bytes()
    return text.decode(errors="replace")


def _files(process: Path) -> tuple[str, ...]:
    files: list[str] = []
    with contextlib.suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            files.append(str(descriptor.readlink()))  # what was read before one was closed counts
    return tuple(files)


if __name__ == "__main__":
    json.dump({pid: asdict(seen) for pid, seen in look().items()}, sys.stdout)
