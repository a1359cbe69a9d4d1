"""What the suite may not change on its host: mounts, keys, cgroups, settings, System V objects, leftovers of its own.

Others may work on the same machine meanwhile: where a thing can be somebody else's, only what bears our mark counts.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

VOLATILE = re.compile(
    r"/proc/sys/(?:fs/(?:dentry-state|inode-(?:nr|state)|file-nr|aio-nr|quota/.*|inotify/.*)|kernel/random/.*"
    r"|kernel/(?:ns_last_pid|pty/nr|perf_.*|keys/.*|sched_domain/.*|tainted)|net/.*|vm/stat_refresh|vm/compact_memory"
    r"|fs/binfmt_misc/.*|debug/.*|kernel/spl/.*|abi/.*)"
)
"""Counters, and files whose reading acts; net/ belongs to the network namespace, which sandboxes can't see."""

_ANY_RUN = re.compile(r"lampion-test-(?:[a-z]+-)?\d+")


@dataclass(frozen=True, slots=True)
class HostState:
    """Two of these are compared field by field."""

    mounts: frozenset[str]
    keys: frozenset[str]
    cgroups: frozenset[str]
    settings: frozenset[str]
    system_v: frozenset[str]
    modules: frozenset[str]
    processes: frozenset[str]
    files: frozenset[str]
    listeners: frozenset[str]
    identity: frozenset[str]

    def differences(self, after: "HostState") -> list[str]:
        """What came, went or changed."""
        found = []
        for each in fields(self):
            before_set, after_set = getattr(self, each.name), getattr(after, each.name)
            found += [f"{each.name}: new {entry}" for entry in sorted(after_set - before_set)]
            found += [f"{each.name}: gone {entry}" for entry in sorted(before_set - after_set)]
        return found


def look(*marks: str) -> HostState:
    """The state now; one of `marks` is in the name of all that the suite makes."""
    return HostState(
        mounts=frozenset(_lines("/proc/self/mountinfo")),
        keys=frozenset(
            line for line in _lines("/proc/keys") if "lampion" in line and not is_of_another_run(line, marks)
        ),
        cgroups=frozenset(folder for folder, _, _ in os.walk("/sys/fs/cgroup") if _bears(folder, marks)),
        settings=frozenset(_settings()),
        system_v=frozenset(line for kind in ("shm", "msg", "sem") for line in _lines(f"/proc/sysvipc/{kind}")[1:]),
        modules=frozenset(line.split()[0] for line in _lines("/proc/modules")),
        processes=frozenset(_processes(marks)),
        files=frozenset(_files(marks)),
        listeners=frozenset(line.split()[-1] for line in _lines("/proc/net/unix") if _bears(line, marks)),
        identity=frozenset((os.uname().nodename, *_digests())),
    )


def is_of_another_run(text: str, marks: tuple[str, ...]) -> bool:
    """An OCI runtime makes a key for each container and names it by the cgroup: those of another run come and go."""
    return bool(_ANY_RUN.search(text)) and not _bears(text, marks)


def _bears(text: str, marks: tuple[str, ...]) -> bool:
    return any(mark in text for mark in marks)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(errors="replace").splitlines()
    except OSError:
        return []


def _settings() -> Iterator[str]:
    for folder, _, names in os.walk("/proc/sys"):
        for name in names:
            path = f"{folder}/{name}"
            if not VOLATILE.fullmatch(path):
                yield f"{path} = {' '.join(_lines(path))}"


def _processes(marks: tuple[str, ...]) -> Iterator[str]:
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            text = "".join(" ".join(_lines(f"{entry.path}/{name}")) for name in ("cmdline", "environ", "cgroup"))
            if _bears(text, marks):
                yield f"{entry.name} {' '.join(_lines(f'{entry.path}/cmdline'))[:200]}"


def _files(marks: tuple[str, ...]) -> Iterator[str]:
    for top in (
        "/tmp",
        "/dev",
        "/dev/shm",
        "/dev/mqueue",
        "/run",
        "/var/tmp",
        "/",
        "/etc",
        "/root",
        "/usr/bin",
        "/opt",
    ):
        try:
            yield from (entry.path for entry in os.scandir(top) if _bears(entry.name, marks))
        except OSError:
            continue


def _digests() -> Iterator[str]:
    """Files that an attacker would like to change."""
    for path in ("/etc/passwd", "/etc/shadow", "/etc/group", "/etc/ld.so.preload", "/etc/crontab", "/usr/bin/env"):
        try:
            yield f"{path} {hashlib.sha256(Path(path).read_bytes()).hexdigest()}"
        except OSError:
            yield f"{path} can't be read"
