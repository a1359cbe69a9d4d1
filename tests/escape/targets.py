"""What probes go for: secrets in files, processes, sockets and another sandbox, all made here and known by name."""

import contextlib
import ctypes
import os
import secrets
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.escape.probes.python.kernel_calls import AT_FDCWD, call

LEAKED_FILE, LEAKED_DIRECTORY, LEAKED_NAMESPACE = 20, 21, 22
"""Descriptors that a careless server would hand down to every child."""

_VICTIM = """
import ctypes, os, signal, sys
secret = ctypes.create_string_buffer(os.environ["SECRET"].encode())
count = 0
def seen(number, frame):
    global count
    count += 1
    os.write(1, b"!")
signal.signal(signal.SIGUSR1, seen)
os.write(1, f"{ctypes.addressof(secret)}\\n".encode())
while True: signal.pause()
"""


def new_secret(kind: str) -> str:
    return f"lampion-secret-{kind}-{secrets.token_hex(16)}"


@dataclass
class Stage:
    """Everything of one run on the host."""

    root: Path
    mark: str
    victim: subprocess.Popen[bytes]
    victim_address: int
    told: dict[str, Any]

    @property
    def secret_file(self) -> Path:
        return self.root / "host" / "secret.txt"

    @property
    def task(self) -> Path:
        return self.root / "task"

    @property
    def layer(self) -> Path:
        return self.root / "layer"

    def signals_to_victim(self) -> int:
        """How many have come since the last question."""
        assert self.victim.stdout is not None
        ready, _, _ = select.select([self.victim.stdout], [], [], 0)
        return len(os.read(self.victim.stdout.fileno(), 4096)) if ready else 0


@contextmanager
def stage(parent: Path) -> Iterator[Stage]:
    """Files, a victim process, listeners and leaked descriptors; all gone at the end."""
    root = parent
    mark = root.name
    host = root / "host"
    for folder in (host / "data", host / "logs", root / "task", root / "layer", root / "task" / "__pycache__"):
        folder.mkdir(parents=True)
    secret = new_secret("host")
    files = [host / "secret.txt", host / "data" / "lampion.db", host / "data" / "root-key"]
    for file in files:
        file.write_text(secret)
    with contextlib.ExitStack() as stack:
        victim, address = stack.enter_context(_victim(mark))
        stack.enter_context(_leaks(files[0]))
        told = stack.enter_context(_listeners(host, mark))
        told |= {
            "secret_file": str(files[0]),
            "data_files": [str(file) for file in files[1:]],
            "victim_pid": victim.pid,
            "victim_address": address,
            "server_pid": os.getpid(),
            "handle": handle_of(files[0]),
            "log_directory": str(host / "logs"),
            "host_paths": [str(root), str(Path(sys.base_prefix))],
            "planted": f"{mark}-planted",
            "queue": f"{mark}-queue",
            "shared_memory_key": 0x1A3B0000 | os.getpid() & 0xFFFF,
            "host_addresses": _addresses(),
            "machine": {
                "host_name": os.uname().nodename,
                "boot_id": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
            },
        }
        yield Stage(root, mark, victim, address, told)


def handle_of(path: Path) -> dict[str, Any] | None:
    """What open_by_handle_at takes for the file; None where its file system gives none."""
    buffer = ctypes.create_string_buffer((128).to_bytes(4, "little") + bytes(132), 136)
    mount_id = ctypes.c_int()
    try:
        call("name_to_handle_at", AT_FDCWD, str(path), buffer, mount_id, 0)
    except OSError:
        return None
    size = int.from_bytes(buffer.raw[:4], "little")
    return {"type": int.from_bytes(buffer.raw[4:8], "little"), "hex": buffer.raw[8 : 8 + size].hex()}


@contextmanager
def _victim(mark: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A process of the server's user with a secret in its environment and memory; it counts signals."""
    environ = {"SECRET": new_secret("victim"), "LAMPION_TEST_MARK": mark}
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _VICTIM], stdout=subprocess.PIPE, env=environ, start_new_session=True
    ) as victim:
        try:
            assert victim.stdout is not None
            yield victim, int(victim.stdout.readline())
        finally:
            victim.kill()


@contextmanager
def _leaks(secret: Path) -> Iterator[None]:
    """Descriptors without close-on-exec: the launcher must not pass them on."""
    for number, path in ((LEAKED_FILE, str(secret)), (LEAKED_DIRECTORY, "/"), (LEAKED_NAMESPACE, "/proc/self/ns/net")):
        opened = os.open(path, os.O_RDONLY)
        os.dup2(opened, number, inheritable=True)
        os.close(opened)
    try:
        yield
    finally:
        for number in (LEAKED_FILE, LEAKED_DIRECTORY, LEAKED_NAMESPACE):
            os.close(number)


@contextmanager
def _listeners(host: Path, mark: str) -> Iterator[dict[str, Any]]:
    """TCP, unix and UDP listeners that tell a secret to whoever comes."""
    secret = new_secret("listener").encode()
    by_path, by_name, by_port = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX), socket.socket()
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    by_path.bind(str(host / "server.sock"))
    (host / "server.sock").chmod(0o777)
    by_name.bind(f"\0{mark}")
    by_port.bind(("0.0.0.0", 0))
    datagrams.bind(("0.0.0.0", 0))
    listeners = (by_path, by_name, by_port)
    for listener in listeners:
        listener.listen()
        threading.Thread(target=_greet, args=(listener, secret), daemon=True).start()
    threading.Thread(target=_answer, args=(datagrams, secret), daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as free:
        visible_port = free.getsockname()[1]
    try:
        yield {
            "unix_socket": str(host / "server.sock"),
            "abstract": mark,
            "listener_port": by_port.getsockname()[1],
            "udp_port": datagrams.getsockname()[1],
            "visible_port": visible_port,
        }
    finally:
        for each in (*listeners, datagrams):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


def _greet(listener: socket.socket, secret: bytes) -> None:
    with contextlib.suppress(OSError):
        while True:
            taken, _ = listener.accept()
            with taken, contextlib.suppress(OSError):
                taken.sendall(secret)


def _answer(datagrams: socket.socket, secret: bytes) -> None:
    with contextlib.suppress(OSError):
        while True:
            _, sender = datagrams.recvfrom(4096)
            if sender is None:  # shut down
                return
            datagrams.sendto(secret, sender)


def _addresses() -> list[str]:
    """This machine's own IPv4 address on its way out, if it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return []
        return [probe.getsockname()[0]]
