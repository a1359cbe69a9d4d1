"""Network namespaces: of this thread, of a socket, and a visit to another one. Threads have their own each."""

import ctypes
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_NEW_NETWORK: Final = 0x40000000
_NAMESPACE_OF_SOCKET: Final = 0x894C  # SIOCGSKNS
_LIBRARY: Final = ctypes.CDLL(None, use_errno=True)


def current_namespace() -> int:
    """A descriptor of the one that this thread is in; the caller closes it."""
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def namespace_of(made: socket.socket) -> int:
    """A descriptor of the one that a socket was made in; the caller closes it. Needs root."""
    return fcntl.ioctl(made, _NAMESPACE_OF_SOCKET)


def enter_new_namespace() -> None:
    """For good. What the thread starts from here on is there too. Raises OSError."""
    _check(_LIBRARY.unshare(_NEW_NETWORK))


def enter(namespace: int) -> None:
    """For good. Raises OSError."""
    _check(_LIBRARY.setns(namespace, _NEW_NETWORK))


@contextmanager
def inside(namespace: int) -> Iterator[None]:
    """This thread is there for the duration of the block, which mustn't wait for anything of the event loop."""
    own = current_namespace()
    try:
        enter(namespace)
        try:
            yield
        finally:
            enter(own)
    finally:
        os.close(own)


def _check(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
