"""P32-P33: signals to others, and the terminal of who started the server."""

import fcntl
import os
import signal
import termios
import time

from .attempts import Attempts, probe


@probe("P32")
def signal_others(a: Attempts) -> None:
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    others = {"victim": a.targets["victim_pid"], "sibling": a.targets["sibling_pid"], "server": a.targets["server_pid"]}
    for who, process in others.items():
        a.attempt(f"signal the {who}", lambda: os.kill(process, 0))
        a.attempt(f"handle of the {who}", lambda: os.pidfd_open(process))
    # Who was reached is seen from outside: the victim counts.
    a.attempt("signal everybody", lambda: os.kill(-1, signal.SIGUSR1), lambda _: False)

    def stop_parents() -> str:
        group = os.getpgid(os.getppid())
        if group in (0, os.getpgid(0)):
            raise ProcessLookupError(3, "the parent's group is out of sight")
        os.killpg(group, signal.SIGUSR1)
        return f"signalled group {group}"

    a.attempt("signal the victim's group", lambda: os.killpg(a.targets["victim_pid"], signal.SIGUSR1))
    if not a.targets["is_bare"]:
        a.attempt("signal the group of the parent", stop_parents, lambda _: os.getppid() > 1)
        a.attempt("kill process 1", _kill_process_1, len)


def _kill_process_1() -> str:
    """The kernel takes the signal and drops it: what counts is whether process 1 still answers."""
    for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGSEGV, signal.SIGCHLD, signal.SIGHUP):
        os.kill(1, number)
    time.sleep(0.1)
    with open("/proc/1/stat", "rb") as file:
        state = file.read().rpartition(b")")[2].split()[0]
    return "" if state in b"SRD" else f"process 1 is in state {state!r}"


@probe("P33")
def type_into_the_terminal(a: Attempts) -> None:
    def type_letter(descriptor: int) -> str:
        fcntl.ioctl(descriptor, termios.TIOCSTI, b" ")
        return "typed a letter"

    def linux_console(descriptor: int) -> str:
        fcntl.ioctl(descriptor, 0x541C, b"\x06")  # TIOCLINUX, GETSHIFTSTATE
        return "spoke to the console"

    for descriptor in (0, 1, 2):
        a.attempt(f"type into descriptor {descriptor}", lambda: type_letter(descriptor))
    for path in ("/dev/tty", "/dev/console", "/dev/tty0", "/dev/tty1", "/dev/pts/0", "/dev/ptmx"):
        a.exists(f"open {path}", path, os.O_RDWR | os.O_NOCTTY)
    a.attempt("type into /dev/tty", lambda: type_letter(os.open("/dev/tty", os.O_RDWR)))
    a.attempt("TIOCLINUX", lambda: linux_console(os.open("/dev/tty0", os.O_RDONLY | os.O_NOCTTY)))
    a.attempt("take the terminal", lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 1))
