"""A function that takes what it can of one resource for some seconds; its neighbours are measured meanwhile."""

import os
import signal
import socket
import threading
import time
from typing import Any

MIB = 1 << 20


def handler(event: dict[str, Any], context: Any) -> None:
    """AWS's entry point: `kind`, and `seconds` for how long."""
    KINDS[event["kind"]](time.monotonic() + event["seconds"])


def forks(until: float) -> None:
    children: list[int] = []
    while time.monotonic() < until:
        try:
            child = os.fork()
        except OSError:
            os.kill(children[0], signal.SIGKILL)
            os.waitpid(children.pop(0), 0)
            continue
        if child == 0:
            signal.pause()
        children.append(child)


def memory(until: float) -> None:
    """Up to the limit again and again, in a child that the kernel kills."""
    while time.monotonic() < until:
        child = os.fork()
        if child == 0:
            kept = []
            while time.monotonic() < until:
                kept.append(bytearray(os.urandom(64)) * (16 * MIB // 64))
            os._exit(0)
        os.waitpid(child, 0)


def disk(until: float, path: str = "/tmp/big") -> None:
    while time.monotonic() < until:
        try:
            with open(path, "wb", buffering=0) as file:
                while time.monotonic() < until:
                    file.write(bytes(MIB))
                    os.fsync(file.fileno())
        except OSError:
            os.truncate(path, 0)


def descriptors(until: float) -> None:
    while time.monotonic() < until:
        kept = []
        try:
            while time.monotonic() < until:
                kept.append(socket.socketpair())
        except OSError:
            for pair in kept:
                for each in pair:
                    each.close()


def log(until: float) -> None:
    line = b"flood " * 10_000 + b"\n"
    while time.monotonic() < until:
        os.write(1, line)


def processor(until: float) -> None:
    for _ in range(7):
        if os.fork() == 0:
            break
    for _ in range(7):
        threading.Thread(target=_spin, args=(until,), daemon=True).start()
    _spin(until)


def _spin(until: float) -> None:
    while time.monotonic() < until:
        pass


KINDS = {
    "fork bomb": forks,
    "memory": memory,
    "disk": disk,
    "descriptors": descriptors,
    "log": log,
    "processor": processor,
}
