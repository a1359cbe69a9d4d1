"""P36, P38, P40: kernel objects, disk space, and processes that outlive the function."""

import contextlib
import ctypes
import os
import resource
import signal
import time

from .attempts import Attempts, probe
from .kernel_calls import call, raise_limit

MIB = 1 << 20
WANTED_DESCRIPTORS = 8192
WANTED_WATCHERS = 1000
WANTED_TIMERS = 200_000
WANTED_FILES = 300_000
_PRIVATE = 0


def _count(action: object, most: int) -> int:
    assert callable(action)
    count = 0
    with contextlib.suppress(OSError):
        while count < most:
            action()
            count += 1
    return count


@probe("P36:descriptors")
def descriptor_bomb(a: Attempts) -> None:
    def raise_it() -> str:
        return raise_limit(resource.RLIMIT_NOFILE, 1 << 19)

    def use() -> int:
        with contextlib.suppress(OSError):
            raise_it()
        return _count(lambda: os.dup(0), WANTED_DESCRIPTORS)

    a.attempt("raise the limit of open files", raise_it)
    a.attempt("open files of one process", use, lambda count: count >= WANTED_DESCRIPTORS)
    inotify = ctypes.CDLL(None, use_errno=True).inotify_init

    def watch() -> None:
        if inotify() < 0:
            raise OSError(24, "no more")

    a.attempt("inotify instances", lambda: _count(watch, WANTED_WATCHERS), lambda count: count >= WANTED_WATCHERS)


@probe("P36:objects")
def object_bomb(a: Attempts) -> None:
    def shared_memory() -> str:
        """Nothing of it lasts: each segment is marked for removal at once."""
        library = ctypes.CDLL(None, use_errno=True)
        library.shmat.restype = ctypes.c_void_p
        for _ in range(2 * int(a.targets["memory_mib"]) // 32):
            segment = call("shmget", _PRIVATE, 32 * MIB, 0o1600)
            address = library.shmat(segment, None, 0)
            library.shmctl(segment, 0, None)
            ctypes.memset(address, 1, 32 * MIB)
        return "System V memory beyond the limit"

    def queues() -> int:
        message = ctypes.create_string_buffer(8 + 8192)
        ctypes.c_long.from_buffer(message).value = 1
        library = ctypes.CDLL(None, use_errno=True)
        made: list[int] = []
        with contextlib.suppress(OSError):
            while len(made) < 20_000:
                made.append(call("msgget", _PRIVATE, 0o1600))
                call("msgsnd", made[-1], message, 8192, 0o4000)
        for queue in made:
            library.msgctl(queue, 0, None)
        return len(made)

    def timers() -> int:
        event, made = (ctypes.c_uint64 * 8)(0, 1 << 32), ctypes.c_int()
        return _count(lambda: call("timer_create", 1, event, made), WANTED_TIMERS)

    a.attempt("System V memory", shared_memory, seconds=60)
    a.attempt("System V queues of 8 KiB", queues, lambda count: count * 8192 >= a.targets["memory_mib"] * MIB, 60)
    a.attempt("timers", timers, lambda count: count >= WANTED_TIMERS, 60)
    a.attempt("keys", lambda: call("add_key", "user", "lampion-test-bomb", bytes(32000), 32000, -2))


@probe("P38:space")
def fill_the_disk(a: Attempts) -> None:
    wanted = int(a.targets["tmp_mib"] * 1.5)

    def fill() -> int:
        written = 0
        try:
            with contextlib.suppress(OSError), open("/tmp/big", "wb", buffering=0) as file:
                while written < wanted * MIB:
                    written += file.write(bytes(MIB))
                    os.fsync(file.fileno())
            return written // MIB
        finally:
            os.unlink("/tmp/big")

    def reserve() -> str:
        with open("/tmp/sparse", "wb") as file:
            os.truncate(file.fileno(), 1 << 40)
            os.posix_fallocate(file.fileno(), 0, wanted * MIB)
            return "reserved"

    a.attempt("MiB written to /tmp", fill, lambda written: written >= wanted, 60)
    a.attempt("reserve a sparse file's space", reserve, None, 60)
    with contextlib.suppress(OSError):
        os.unlink("/tmp/sparse")


@probe("P38:files")
def fill_the_directory(a: Attempts) -> None:
    def make() -> int:
        for folder in range(WANTED_FILES // 1000):
            os.mkdir(f"/tmp/{folder}.d")
            for number in range(1000):
                os.close(os.open(f"/tmp/{folder}.d/{number}", os.O_WRONLY | os.O_CREAT, 0o600))
        return WANTED_FILES

    a.attempt("files in /tmp", make, seconds=90)


@probe("P40")
def outlive_the_function(a: Attempts) -> None:
    """Three children that nobody waits for; whether they live on is seen from outside."""
    for ignores_signals in (False, True, True):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
                    signal.signal(number, signal.SIG_IGN if ignores_signals else signal.SIG_DFL)
                time.sleep(600)
            os._exit(0)
    a.tell("three daemons started", False, "what is left of them is looked at from outside")
