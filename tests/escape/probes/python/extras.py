"""X01-X10: attacks on this design in particular, beyond the list."""

import ctypes
import fcntl
import os
import resource
import struct
import time

from .attempts import Attempts, contents, probe
from .kernel_calls import call


@probe("X01")
def change_process_1(a: Attempts) -> None:
    """Process 1 and the function may have one user: whatever the kernel lets a user do to its own processes."""
    for process in a.targets["shim_pids"]:
        for name in ("environ", "maps", "auxv", "syscall", "stack", "smaps", "io", "wchan"):
            path = f"/proc/{process}/{name}"
            a.attempt(f"read {name}", lambda: contents(path), lambda text: text not in (b"", b"0"))
        for name in ("oom_score_adj", "coredump_filter", "clear_refs", "comm"):
            a.exists(f"open {name} for writing", f"/proc/{process}/{name}", os.O_WRONLY)
        # Anybody may open this one; the right is checked when it is written to.
        a.attempt("timer slack", lambda: os.write(os.open(f"/proc/{process}/timerslack_ns", os.O_WRONLY), b"50000"))
        old = (ctypes.c_uint64 * 2)()
        a.attempt("limits", lambda: call("prlimit64", process, resource.RLIMIT_NOFILE, None, old))
        a.attempt("priority", lambda: os.setpriority(os.PRIO_PROCESS, process, 19))
        a.attempt("processors", lambda: os.sched_setaffinity(process, os.sched_getaffinity(0)))
        a.attempt("scheduling class", lambda: os.sched_setscheduler(process, os.SCHED_IDLE, os.sched_param(0)))


@probe("X02")
def learn_the_hosts_paths(a: Attempts) -> None:
    told = [path.encode() for path in a.targets["host_paths"]]
    for name in ("mountinfo", "mounts", "mountstats", "maps", "cgroup"):
        a.attempt(
            f"host paths in /proc/self/{name}",
            lambda: contents(f"/proc/self/{name}", 1 << 20),
            lambda text: any(path in text for path in told),
        )


@probe("X03")
def watch_what_others_open(a: Attempts) -> None:
    """inotify follows inodes: a directory that others share shows when they use it. They do, seen from here."""
    library = ctypes.CDLL(None, use_errno=True)
    for directory in a.targets["watched"]:

        def watch(directory: str = directory) -> bytes:
            instance = library.inotify_init1(os.O_NONBLOCK)
            if instance < 0 or library.inotify_add_watch(instance, directory.encode(), 0x21) < 0:
                raise OSError(ctypes.get_errno(), "inotify")
            time.sleep(0.3)
            try:
                return os.read(instance, 4096)
            except BlockingIOError:
                return b""

        a.attempt(f"use of {directory} by others", watch, len)


@probe("X04")
def crash_into_the_host(a: Attempts) -> None:
    """A core dump goes to the host's program when core_pattern names one, unless the limit is exactly 1."""

    def pattern() -> str:
        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        text = contents("/proc/sys/kernel/core_pattern").decode().strip()
        return f"{hard} {text}" if text.startswith("|") and hard != 1 else ""

    def dump() -> str:
        place = f"/tmp/{a.targets['planted']}.core"
        os.makedirs(place, exist_ok=True)
        os.chdir(place)
        if os.fork() == 0:
            os.abort()
        _, status = os.wait()
        return f"{os.listdir('.')}" if os.WCOREDUMP(status) and not os.listdir(".") else ""

    a.attempt("dump to a program of the host", pattern, len)
    a.attempt("dump to a place out of the sandbox", dump, len)


@probe("X05")
def lock_what_others_use(a: Attempts) -> None:
    """Locks follow inodes too; whether the host is kept out is seen from there."""
    kept = []
    for path in a.targets["locked"]:
        descriptor = os.open(path, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        kept.append(descriptor)
    a.tell("locks taken", False, f"{len(kept)}; whether they hold anybody up is seen from outside")
    time.sleep(0.4)


@probe("X06")
def identify_the_machine(a: Attempts) -> None:
    machine = a.targets["machine"]
    a.attempt("host name", lambda: os.uname().nodename, lambda name: name == machine["host_name"])
    boot = "/proc/sys/kernel/random/boot_id"
    a.attempt("identity of this boot", lambda: contents(boot).decode().strip(), lambda text: text == machine["boot_id"])
    a.attempt("machine id", lambda: contents("/etc/machine-id"), len)
    a.attempt("kernel command line", lambda: contents("/proc/cmdline"), lambda text: len(text) > 1)


@probe("X07")
def be_killed_last(a: Attempts) -> None:
    def adjust(score: int) -> str:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write(str(score))
        return f"score {score}"

    a.attempt("never be killed for memory", lambda: adjust(-1000))
    a.attempt("be killed later than usual", lambda: adjust(-1))


@probe("X08")
def take_the_runtime_apis_port(a: Attempts) -> None:
    import socket

    def listen(address: str) -> str:
        with socket.socket() as made:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((address, a.targets["runtime_api_port"]))
            made.listen()
            return f"listens at {address}"

    for address in ("127.0.0.1", "0.0.0.0"):
        a.attempt(f"share the port at {address}", lambda: listen(address))

    def reset() -> bytes:
        """Urgent data, then a reset instead of a close: the server must go on serving (asked right after)."""
        with socket.create_connection(("127.0.0.1", a.targets["runtime_api_port"]), 2) as made:
            made.send(b"!", socket.MSG_OOB)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return b""

    a.attempt("urgent data and a reset", reset, len)


@probe("X09")
def see_the_whole_machine(a: Attempts) -> None:
    """What /proc tells of all processes together: no secret in itself, but a way to watch neighbours work."""
    for name in ("interrupts", "schedstat", "diskstats", "vmstat", "buddyinfo", "pagetypeinfo", "slabinfo", "locks"):
        a.attempt(f"/proc/{name}", lambda: contents(f"/proc/{name}", 4096), len)


@probe("X10")
def flush_the_hosts_file_systems(a: Attempts) -> None:
    def flush(path: str) -> str:
        library = ctypes.CDLL(None, use_errno=True)
        if library.syncfs(os.open(path, os.O_RDONLY)) < 0:
            raise OSError(ctypes.get_errno(), "syncfs")
        # No kernel flushes what doesn't exist: a filter answers in its place, and nothing is done.
        return "" if library.syncfs(-1) == 0 else f"flushed {path}"

    a.attempt("the file system of a shared directory", lambda: flush(a.targets["views"][0]), len)
