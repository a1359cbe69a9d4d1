"""P42, P45: what belongs to another sandbox, and what sandboxes share."""

import contextlib
import ctypes
import mmap
import os
import random
import sys
import uuid

from .attempts import SECRET, Attempts, contents, probe


@probe("P42")
def read_another_sandbox(a: Attempts) -> None:
    process, name = a.targets["sibling_pid"], a.targets["sibling_file"]
    a.read("its environment", f"/proc/{process}/environ")
    a.read("its /tmp by path", name)
    a.read("its /tmp by its root", f"/proc/{process}/root{name}")
    a.read("its /tmp by its directory", f"/proc/{process}/cwd/../..{name}")

    def search() -> bytes:
        found = b""
        for top in ("/tmp", "/dev/shm", "/run", "/var/tmp", a.targets["log_directory"], a.targets["task"]):
            for folder, _, names in os.walk(top):
                for entry in names:
                    with contextlib.suppress(OSError):
                        found += contents(f"{folder}/{entry}")
        return found

    a.attempt("anything of it in files", search, SECRET.search)


@probe("P45")
def poison_what_is_shared(a: Attempts) -> None:
    for directory in (f"{a.targets['task']}/__pycache__", *a.targets["caches"]):

        def plant(path: str = f"{directory}/{a.targets['planted']}.pyc") -> str:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o644))
            os.unlink(path)
            return path

        a.attempt(f"plant compiled code in {directory}", plant)
    path = a.targets["view_files"][0]

    def change_shared_mapping() -> str:
        with open(path, "rb") as file:
            page = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ | mmap.PROT_WRITE)
        page[:1] = page[:1]
        return "wrote to the shared page"

    def make_writable() -> str:
        library = ctypes.CDLL(None, use_errno=True)
        with open(path, "rb") as file:
            page = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ)
        library.mmap.restype = ctypes.c_void_p
        opened = os.open(path, os.O_RDONLY)
        address = library.mmap(None, ctypes.c_size_t(len(page)), mmap.PROT_READ, mmap.MAP_SHARED, opened, 0)
        if library.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(4096), 3) < 0:
            raise OSError(ctypes.get_errno(), "mprotect")
        return "the shared page became writable"

    def write_through_memory() -> bytes:
        before = contents(path)
        with open(path, "rb") as file:
            page = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
        memory = os.open("/proc/self/mem", os.O_RDWR)
        os.pwrite(memory, b"POISONED", ctypes.addressof(ctypes.c_char.from_buffer(page)))
        return b"" if contents(path) == before else b"changed"

    a.attempt("map a shared page for writing", change_shared_mapping)
    a.attempt("make a shared page writable", make_writable)
    a.attempt("write through /proc/self/mem", write_through_memory, len)
    # Compared between two sandboxes from outside.
    a.tell("randomness", False, _randomness())


def _randomness() -> str:
    stack = ctypes.c_int()
    parts = (random.random(), uuid.uuid4().hex, os.urandom(8).hex(), hash("lampion") & 0xFFFFFFFF)
    return f"{parts} {ctypes.addressof(stack):#x} {sys.getrefcount(None) and id(random):#x}"
