"""`python -m tests.own_binfmt FLAGS EMULATOR COMMAND...`: COMMAND on a machine that runs arm64 programs by EMULATOR.

The machine's own list of such programs (binfmt_misc) is neither read nor changed: the command has a user namespace of
its own, with a list of its own (Linux 6.7), and every id as outside. Needs root.
"""

import ctypes
import os
import platform
import shutil
import sys
from pathlib import Path

_NEW_MOUNTS, _NEW_USERS = 0x00020000, 0x10000000
_RECURSIVE, _PRIVATE = 0x4000, 0x40000
_ALL_IDS = "0 0 4294967295"
_MAGIC = r"\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
_MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
_LIST = "/proc/sys/fs/binfmt_misc"


def missing() -> str:
    """What this machine lacks for it; empty when nothing."""
    if platform.machine() != "x86_64":
        return "the programs of these tests are emulated on x86-64"
    if os.geteuid() != 0:
        return "only root can give a namespace every id"
    release = tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2])
    if release < (6, 7):
        return "namespaces have lists of foreign programs from Linux 6.7 on"
    if "binfmt_misc" not in Path("/proc/filesystems").read_text():
        return "this kernel has no binfmt_misc"
    return "" if emulator() else "there is no qemu-aarch64: apt-get install qemu-user"


def emulator() -> str:
    """Where the emulator is, "" without one."""
    return shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static") or ""


def main(flags: str, program: str, command: list[str]) -> None:
    libc = ctypes.CDLL(None, use_errno=True)

    def call(name: str, *arguments: object) -> None:
        if getattr(libc, name)(*arguments) < 0:
            raise OSError(ctypes.get_errno(), name)

    ready, go = os.pipe(), os.pipe()
    if os.fork() == 0:  # outside, where all ids may be given
        os.read(ready[0], 1)
        for file in ("uid_map", "gid_map"):
            Path(f"/proc/{os.getppid()}/{file}").write_text(_ALL_IDS)
        os.write(go[1], b"x")
        os._exit(0)
    call("unshare", _NEW_USERS | _NEW_MOUNTS)
    os.write(ready[1], b"x")
    os.read(go[0], 1)
    os.wait()
    call("mount", None, b"/", None, _RECURSIVE | _PRIVATE, None)
    call("mount", b"binfmt_misc", _LIST.encode(), b"binfmt_misc", 0, None)
    Path(f"{_LIST}/register").write_text(f":arm64:M::{_MAGIC}:{_MASK}:{program}:{flags}")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
