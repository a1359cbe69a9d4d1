"""P01-P10: files of the host, of the platform and of other functions."""

import contextlib
import ctypes
import os
import re
import subprocess

from .attempts import SECRET, Attempts, contents, probe
from .kernel_calls import AT_EMPTY_PATH, AT_FDCWD, AT_RECURSIVE, NEWNS, call

RECURSIVE_BIND, READ_ONLY, REMOUNT, BIND = 4096 | 16384, 1, 32, 4096


@probe("P01")
def read_files_of_the_host(a: Attempts) -> None:
    for path in [a.targets["secret_file"], *a.targets["data_files"]]:
        a.read(f"read {os.path.basename(path)}", path)
        a.read(f"read {os.path.basename(path)} through process 1's root", f"/proc/1/root{path}")
        a.read(f"read {os.path.basename(path)} by climbing", "/proc/self/cwd/" + "../" * 20 + path)
    a.attempt("read /etc/shadow", lambda: contents("/etc/shadow"), lambda text: b":" in text)
    a.attempt("list root's home", lambda: os.listdir("/root"))
    a.attempt("list homes", lambda: os.listdir("/home"), lambda names: set(names) - {"sbx_user1051"})


@probe("P02")
def use_descriptors_that_were_left_open(a: Attempts) -> None:
    def left_open() -> list[str]:
        found = []
        for name in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):
                target = os.readlink(f"/proc/self/fd/{name}")
                ours = target.startswith(("pipe:", "/proc/", "/dev/null")) or (int(name) <= 3 and "socket:" in target)
                if not ours:
                    found.append(f"{name} -> {target}")
        return found

    def read_all() -> bytes:
        parts = []
        for name in range(64):
            with contextlib.suppress(OSError):
                parts.append(os.pread(name, 4096, 0))
        return b"".join(parts)

    def climb() -> bytes:
        for name in range(64):
            with contextlib.suppress(OSError):
                opened = os.open(a.targets["secret_file"].lstrip("/"), os.O_RDONLY, dir_fd=name)
                return os.read(opened, 4096)
        return b""

    a.attempt("descriptors other than the standard ones", left_open, len)
    a.attempt("read an inherited file", read_all, SECRET.search)
    a.attempt("climb from an inherited directory", climb, SECRET.search)
    for process in a.targets["shim_pids"]:
        a.attempt("list descriptors of the shim", lambda: os.listdir(f"/proc/{process}/fd"))
        a.attempt("enter the shim's directory", lambda: os.listdir(f"/proc/{process}/cwd/"))


@probe("P03")
def overwrite_the_launcher(a: Attempts) -> None:
    for path in ("/proc/self/exe", *(f"/proc/{process}/exe" for process in a.targets["shim_pids"])):
        a.exists(f"open {path} for writing", path, os.O_WRONLY)
        a.attempt(
            f"open {path} by a path descriptor",
            lambda: os.open(f"/proc/self/fd/{os.open(path, os.O_PATH)}", os.O_WRONLY),
        )
    a.exists("open the launcher for writing", a.targets["launcher"], os.O_WRONLY)
    for path in a.targets["interpreter_files"]:
        a.exists(f"open {os.path.basename(path)} of the interpreter for writing", path, os.O_WRONLY)


@probe("P04")
def change_code_runtime_and_layers(a: Attempts) -> None:
    for directory in a.targets["views"]:
        planted = f"{directory}/{a.targets['planted']}"

        def plant(planted: str = planted) -> str:
            os.close(os.open(planted, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
            os.unlink(planted)
            return planted

        a.attempt(f"plant a file in {directory}", plant)
    for path in a.targets["view_files"]:
        a.exists(f"open {path} for writing", path, os.O_WRONLY)
        a.attempt(f"change the mode of {path}", lambda: os.chmod(path, 0o666))
        a.attempt(f"change the times of {path}", lambda: os.utime(path))
        a.attempt(f"truncate {path}", lambda: os.truncate(path, os.stat(path).st_size))


@probe("P05")
def live_on_and_find_what_others_left(a: Attempts) -> None:
    def search() -> bytes:
        found = b""
        for top in ("/tmp", "/dev/shm", "/dev/mqueue", "/run", "/var/tmp"):
            for folder, _, names in os.walk(top):
                for name in names:
                    with contextlib.suppress(OSError):
                        found += contents(f"{folder}/{name}")
        return found

    def shared_memory() -> bytes:
        segment = call("shmget", a.targets["shared_memory_key"], 0, 0)
        return f"segment {segment}".encode()

    def outside_tmp() -> list[str]:
        made = []
        everywhere = ("/", "/var/tmp", "/run", "/home", "/root", "/etc", "/usr", "/mnt", "/srv", "/var", "/dev", "/sys")
        for top in a.targets["outside"] or everywhere:
            path = f"{top}/{a.targets['planted']}"
            with contextlib.suppress(OSError):
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
                made.append(path)
                os.unlink(path)
        return made

    a.attempt("find a predecessor's files", search, re.compile(rb"lampion-secret-previous-").search)
    a.attempt("find a predecessor's System V memory", shared_memory)
    a.attempt("open a predecessor's message queue", lambda: call("mq_open", a.targets["queue"], os.O_RDONLY, 0, None))
    a.attempt("write outside /tmp", outside_tmp, len)


@probe("P06")
def lay_links_for_the_host(a: Attempts) -> None:
    secret, place = a.targets["secret_file"], f"/tmp/{a.targets['planted']}"

    def link(source: str, goal: str) -> str:
        os.link(source, goal, follow_symlinks=False)
        os.unlink(goal)
        return goal

    a.attempt("hard link to a host file", lambda: link(secret, place))
    a.attempt("hard link to /etc/shadow", lambda: link("/etc/shadow", place))
    for directory in (a.targets["task"], a.targets["log_directory"]):

        def plant(directory: str = directory) -> str:
            path = f"{directory}/{a.targets['planted']}.link"
            os.symlink(secret, path)
            os.unlink(path)
            return path

        a.attempt(f"symbolic link in {directory}", plant)

    def race() -> bytes:
        os.makedirs(f"{place}/a", exist_ok=True)
        for _ in range(200):
            os.rename(f"{place}/a", f"{place}/b")
            os.symlink(os.path.dirname(secret), f"{place}/a")
            with contextlib.suppress(OSError):
                return contents(f"{place}/a/{os.path.basename(secret)}")
            os.unlink(f"{place}/a")
            os.rename(f"{place}/b", f"{place}/a")
        return b""

    a.attempt("swap a directory for a link", race, SECRET.search)


@probe("P07")
def mount(a: Attempts) -> None:
    place = "/tmp/mounts"
    os.makedirs(f"{place}/real", exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.symlink("/", f"{place}/link")

    def new_mount() -> int:
        context = call("fsopen", "tmpfs", 0)
        call("fsconfig", context, 6, None, None, 0)
        return call("move_mount", call("fsmount", context, 0, 0), "", AT_FDCWD, f"{place}/real", 4)

    attributes = (ctypes.c_uint64 * 4)(0, READ_ONLY, 0, 0)
    a.attempt("mount a tmpfs", lambda: call("mount", "tmpfs", f"{place}/real", "tmpfs", 0, None))
    a.attempt("mount a proc", lambda: call("mount", "proc", f"{place}/real", "proc", 0, None))
    a.attempt("bind /", lambda: call("mount", "/", f"{place}/real", None, RECURSIVE_BIND, None))
    a.attempt("bind through a link", lambda: call("mount", "/proc", f"{place}/link/tmp", None, RECURSIVE_BIND, None))
    a.attempt("make / writable", lambda: call("mount", None, "/", None, REMOUNT | BIND, None))
    a.attempt("mount_setattr", lambda: call("mount_setattr", AT_FDCWD, "/", 0, attributes, 32))
    a.attempt("fsopen, fsmount, move_mount", new_mount)
    a.attempt("open_tree", lambda: call("open_tree", AT_FDCWD, "/", 1 | AT_RECURSIVE))
    a.attempt("pivot_root", lambda: call("pivot_root", f"{place}/real", f"{place}/real"))
    a.attempt("chroot", lambda: os.chroot(f"{place}/real"))
    a.attempt("unshare mounts", lambda: call("unshare", NEWNS))
    for masked in ("/proc/kcore", "/proc/sys", "/tmp", "/proc"):
        a.attempt(f"unmount {masked}", lambda: call("umount2", masked, 2))


@probe("P08")
def open_by_handle(a: Attempts) -> None:
    handle = a.targets["handle"]
    if handle is None:
        raise RuntimeError("the host's file has no handle")
    content = bytes.fromhex(handle["hex"])
    raw = len(content).to_bytes(4, "little") + int(handle["type"]).to_bytes(4, "little") + content
    for view in [*a.targets["views"], "/", "/usr", "/tmp"]:

        def open_it(view: str = view) -> bytes:
            top = os.open(view, os.O_RDONLY)
            buffer = ctypes.create_string_buffer(raw, len(raw))
            return os.read(call("open_by_handle_at", top, buffer, os.O_RDONLY), 4096)

        a.attempt(f"open the secret by its handle, from {view}", open_it, SECRET.search)
    own = ctypes.create_string_buffer((128).to_bytes(4, "little") + bytes(132), 136)
    mount_id = ctypes.c_int()

    def own_handle() -> int:
        call("name_to_handle_at", AT_FDCWD, a.targets["task"], own, mount_id, AT_EMPTY_PATH)
        return call("open_by_handle_at", os.open(a.targets["task"], os.O_RDONLY), own, os.O_RDONLY)

    a.attempt("open one's own directory by its handle", own_handle)


@probe("P09")
def use_devices(a: Attempts) -> None:
    for name in (
        *("kvm", "mem", "kmsg", "fuse", "loop-control", "net/tun", "vda", "sda", "nvme0n1", "port", "tty0"),
        *("autofs", "vsock", "vhost-net", "btrfs-control", "userfaultfd", "cpu/0/msr", "ptmx", "hwrng"),
    ):
        a.exists(f"open /dev/{name}", f"/dev/{name}")
    for name, kind, major, minor in (("mem", 0o020000, 1, 1), ("disk", 0o060000, 254, 0), ("kmsg", 0o020000, 1, 11)):
        for directory in ("/tmp", "/dev/shm"):

            def make(path: str = f"{directory}/{name}.node", mode: int = kind, device: int = 0) -> str:
                os.mknod(path, mode | 0o600, device)
                os.unlink(path)
                return path

            device = os.makedev(major, minor)
            a.attempt(f"make {name} in {directory}", lambda: make(device=device))


@probe("P10")
def gain_rights_by_programs(a: Attempts) -> None:
    for name in ("setuid", "capable"):

        def run(program: str = f"{a.targets['layer']}/{name}") -> str:
            done = subprocess.run([program, "rights"], capture_output=True, text=True, timeout=5, check=True)
            return done.stdout.strip()

        a.attempt(f"run a {name} program", run, lambda text: text.split()[:1] == ["0"] or text.split()[-1:] != ["0"])
    for program in ("/usr/bin/su", "/usr/bin/passwd", "/usr/bin/newgrp", "/usr/bin/mount"):
        a.attempt(f"setuid through {program}", lambda: _effective_user(program), lambda user: user == 0)


def _effective_user(program: str) -> int:
    """Whom the kernel makes of a process that executes `program`: asked of a child that waits for input."""
    child = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        status = contents(f"/proc/{child.pid}/status").decode()
        return int(status.partition("Uid:")[2].split()[1])
    finally:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
