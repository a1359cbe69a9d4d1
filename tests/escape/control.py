"""The control run: the same probes with no sandbox, so that a suite that can't find an open door is found out.

It runs as the machine's root, so everything around it is private: mounts, processes, IPC, host name, network. A probe
once mounted over a host's /tmp; nothing here may start outside of that.
"""

import contextlib
import fcntl
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOST_NAMESPACE = "LAMPION_TEST_HOST_NAMESPACE"
_KINDS = ("mnt", "pid", "ipc", "uts", "net")
_UNSHARE = ("unshare", "-mpiunf", "--mount-proc", "--propagation", "private", "--kill-child")
_METADATA = ("169.254.169.254", "169.254.170.2")


def namespaces() -> str:
    return " ".join(str(Path(f"/proc/self/ns/{kind}").readlink()) for kind in _KINDS)


def command(*arguments: str) -> list[str]:
    """This Python with `arguments`, in namespaces of its own."""
    return [*_UNSHARE, sys.executable, *arguments]


def is_private() -> bool:
    """Whether all namespaces differ from those of who started the control run, and no mount is passed on."""
    outside = os.environ.get(HOST_NAMESPACE, "").split()
    differ = len(outside) == len(_KINDS) and not set(outside) & set(namespaces().split())
    return differ and "shared:" not in Path("/proc/self/mountinfo").read_text()


@contextmanager
def private_machine() -> Iterator[None]:
    """A /tmp, a loopback device and a metadata service that only this process and its children see."""
    if not is_private():
        raise AssertionError("the control run runs only in private namespaces: python -m tests.escape")
    for place in ("/tmp", "/dev/shm"):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", place], check=True)
    with contextlib.suppress(subprocess.CalledProcessError):
        subprocess.run(["mount", "-t", "mqueue", "mqueue", "/dev/mqueue"], check=True, capture_output=True)
    _raise("lo")
    for number, address in enumerate(_METADATA):
        _address(f"lo:{number + 1}", address)
    listener = socket.create_server(("0.0.0.0", 80))
    threading.Thread(target=_serve, args=(listener,), daemon=True).start()
    with listener:
        yield


def _raise(device: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, 0x8914, struct.pack("16sH14x", device.encode(), 1 | 0x40))


def _address(device: str, address: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        packed = struct.pack("16sHH4s8x", device.encode(), socket.AF_INET, 0, socket.inet_aton(address))
        fcntl.ioctl(handle, 0x8916, packed)


def _serve(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            taken, _ = listener.accept()
            with taken, contextlib.suppress(OSError):
                taken.sendall(b"metadata of the machine")
