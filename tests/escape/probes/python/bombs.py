"""P34, P35, P37: processes, memory and processor time beyond the sandbox's share. Each stops at its own ceiling."""

import contextlib
import ctypes
import fcntl
import mmap
import os
import resource
import signal
import socket
import threading
import time

from .attempts import Attempts, probe
from .kernel_calls import call, raise_limit

MIB = 1 << 20
WANTED_PROCESSES = 1500
MOST_PROCESSES = 1100
"""More than any sandbox may have, with what the limit leaves for its own."""


@probe("P34:processes")
def fork_bomb(a: Attempts) -> None:
    def bomb() -> int:
        children: list[int] = []
        try:
            with contextlib.suppress(OSError):
                while len(children) < WANTED_PROCESSES:
                    child = os.fork()
                    if child == 0:
                        signal.pause()
                    children.append(child)
            return len(children)
        finally:
            for child in children:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)

    a.attempt("processes at a time", bomb, lambda count: count > MOST_PROCESSES, seconds=60)


@probe("P34:threads")
def thread_bomb(a: Attempts) -> None:
    def bomb() -> int:
        threading.stack_size(64 << 10)
        enough = threading.Event()
        count = 0
        with contextlib.suppress(RuntimeError):
            while count < WANTED_PROCESSES:
                threading.Thread(target=enough.wait, daemon=True).start()
                count += 1
        return count

    a.attempt("threads at a time", bomb, lambda count: count > MOST_PROCESSES, seconds=60)


def _wanted_bytes(a: Attempts) -> int:
    return 2 * int(a.targets["memory_mib"]) * MIB


@probe("P35:anonymous")
def anonymous_memory(a: Attempts) -> None:
    def take() -> str:
        held = mmap.mmap(-1, _wanted_bytes(a), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        for offset in range(0, len(held), mmap.PAGESIZE):
            held[offset] = 1
        return f"touched {len(held) // MIB} MiB"

    a.attempt("memory beyond the limit", take, seconds=60)


@probe("P35:files")
def memory_files(a: Attempts) -> None:
    def take(path: str) -> str:
        with open(path, "wb", buffering=0) as file:
            for _ in range(_wanted_bytes(a) // MIB):
                file.write(bytes(MIB))
        os.unlink(path)
        return f"filled {path}"

    a.attempt("/dev/shm beyond the limit", lambda: take("/dev/shm/bomb"), seconds=60)
    with contextlib.suppress(OSError):
        os.unlink("/dev/shm/bomb")

    def take_nameless() -> str:
        nameless = os.memfd_create("bomb")
        for _ in range(_wanted_bytes(a) // MIB):
            os.write(nameless, bytes(MIB))
        return "filled a memfd"

    a.attempt("memfd beyond the limit", take_nameless, seconds=60)


@probe("P35:pipes")
def memory_of_pipes(a: Attempts) -> None:
    def take() -> str:
        held = 0
        for _ in range(_wanted_bytes(a) // MIB):
            _, writing = os.pipe()
            fcntl.fcntl(writing, 1031, MIB)  # F_SETPIPE_SZ
            os.set_blocking(writing, False)
            held += os.write(writing, bytes(MIB))
        return f"{held // MIB} MiB in pipes"

    a.attempt("pipes beyond the limit", take, seconds=60)


@probe("P35:sockets")
def memory_of_sockets(a: Attempts) -> None:
    def fill(pairs: int) -> int:
        held, kept = 0, []
        for _ in range(pairs):
            one, other = socket.socketpair()
            kept.append((one, other))
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    held += one.send(bytes(65536))
        return held + 0 * len(kept)

    def take() -> int:
        reading, writing = os.pipe()
        children = []
        for _ in range(6):
            child = os.fork()
            if child == 0:
                os.write(writing, fill(400).to_bytes(8, "little"))
                signal.pause()
            children.append(child)
        os.close(writing)
        try:
            return sum(int.from_bytes(os.read(reading, 8), "little") for _ in children)
        finally:
            for child in children:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)

    a.attempt("bytes in sockets", take, lambda held: held >= _wanted_bytes(a), seconds=60)


@probe("P35:locked")
def locked_memory(a: Attempts) -> None:
    def lock() -> int:
        held = mmap.mmap(-1, 16 * MIB)
        return call("mlock", ctypes.c_char.from_buffer(held), 16 * MIB)

    a.attempt("lock 16 MiB", lock)
    unlimited = resource.RLIM_INFINITY
    a.attempt("raise the limit of locked memory", lambda: raise_limit(resource.RLIMIT_MEMLOCK, unlimited))


@probe("P37:time")
def processor_time(a: Attempts) -> None:
    def spin() -> float:
        """Cores used by 64 threads of 8 processes over two seconds."""
        started, children = time.monotonic(), []
        for _ in range(8):
            child = os.fork()
            if child == 0:
                for _ in range(7):
                    threading.Thread(target=_spin_until, args=(started + 2,), daemon=True).start()
                _spin_until(started + 2)
                os._exit(0)
            children.append(child)
        for child in children:
            os.waitpid(child, 0)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return round((used.ru_utime + used.ru_stime) / (time.monotonic() - started), 2)

    allowed = 1.6 * float(a.targets["cpu_cores"])
    a.attempt("cores used", spin, lambda cores: cores > allowed, seconds=60)


def _spin_until(end: float) -> None:
    while time.monotonic() < end:
        pass


@probe("P37:priority")
def priority(a: Attempts) -> None:
    first = os.sched_param(1)
    a.attempt("nice -20", lambda: os.setpriority(os.PRIO_PROCESS, 0, -20), lambda _: True)
    a.attempt("real-time FIFO", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, first))
    a.attempt("real-time round robin", lambda: os.sched_setscheduler(0, os.SCHED_RR, first))
    a.attempt("real-time input and output", lambda: call("ioprio_set", 1, 0, 1 << 13))
    a.attempt("limit of real-time priority", lambda: raise_limit(resource.RLIMIT_RTPRIO, 99))
    a.attempt("limit of niceness", lambda: raise_limit(resource.RLIMIT_NICE, 40))
    a.attempt("priority of the victim", lambda: os.setpriority(os.PRIO_PROCESS, a.targets["victim_pid"], 19))
