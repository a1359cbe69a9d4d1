"""This process's own memory, which holds keys: no core has it, and no other process of the same user looks into it."""

import ctypes
import os
import resource
from typing import Final

_PR_SET_DUMPABLE: Final = 4
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_LIBC.getenv.restype = ctypes.c_void_p


def close_memory() -> None:
    """From now on nothing but root traces this process, reads its memory or environment, or gets a core of it.

    What it starts isn't concerned: the limit on cores stays as high as it was for who raises his own.
    """
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    # 1, and not 0, also holds where cores are piped to a program of the machine: core(5).
    resource.setrlimit(resource.RLIMIT_CORE, (1 if most else 0, most))
    if _LIBC.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"the server's memory can't be closed to others: {os.strerror(number)}")


def forget_variable(name: str) -> None:
    """Take a variable out of the environment, also out of what /proc/PID/environ shows: that is the memory in which the
    process got it, and stays as it is when a variable is merely unset.
    """
    place = _LIBC.getenv(os.fsencode(name))
    if place:
        ctypes.memset(place, 0, len(ctypes.string_at(place)))
    os.environ.pop(name, None)
