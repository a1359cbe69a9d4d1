"""P11-P14: /proc and /sys."""

import contextlib
import os

from .attempts import SECRET, Attempts, contents, probe


@probe("P11")
def look_into_other_processes(a: Attempts) -> None:
    for who in ("victim", "sibling"):
        process = a.targets[f"{who}_pid"]
        a.read(f"environment of the {who}", f"/proc/{process}/environ")
        a.attempt(f"memory map of the {who}", lambda: contents(f"/proc/{process}/maps"), len)
        a.read(f"file of the {who} through its root", f"/proc/{process}/root{a.targets['secret_file']}")
        a.attempt(f"descriptors of the {who}", lambda: os.listdir(f"/proc/{process}/fd"))

    def memory() -> bytes:
        descriptor = os.open(f"/proc/{a.targets['victim_pid']}/mem", os.O_RDONLY)
        return os.pread(descriptor, 64, a.targets["victim_address"])

    def every_environment() -> bytes:
        found = b""
        for name in os.listdir("/proc"):
            if name.isdigit():
                with contextlib.suppress(OSError):
                    found += contents(f"/proc/{name}/environ") + contents(f"/proc/{name}/cmdline")
        return found

    a.attempt("memory of the victim", memory, SECRET.search)
    a.attempt("environments of all processes in sight", every_environment, SECRET.search)


@probe("P12")
def steer_the_kernel(a: Attempts) -> None:
    settings = ("kernel/core_pattern", "kernel/modprobe", "kernel/hotplug", "kernel/poweroff_cmd", "vm/drop_caches")
    more = ("vm/overcommit_memory", "kernel/randomize_va_space", "fs/file-max", "fs/binfmt_misc/register")
    for name in (*settings, *more, "kernel/ns_last_pid", "fs/suid_dumpable", "net/ipv4/ip_forward", "kernel/panic"):
        a.exists(f"open /proc/sys/{name} for writing", f"/proc/sys/{name}", os.O_WRONLY)
    a.exists("open sysrq-trigger for writing", "/proc/sysrq-trigger", os.O_WRONLY)
    for name in ("kcore", "kmsg", "timer_list", "sched_debug", "kpagecount", "vmallocinfo", "keys", "slabinfo"):
        a.attempt(f"read /proc/{name}", lambda: contents(f"/proc/{name}", 4096), len)
    a.attempt("addresses of the kernel", _kernel_addresses, len)


def _kernel_addresses() -> list[bytes]:
    with open("/proc/kallsyms", "rb") as file:
        lines = file.readlines(4096)
    return [line for line in lines if line.split()[0].strip(b"0")]


@probe("P13")
def move_in_the_cgroup_tree(a: Attempts) -> None:
    def writable() -> list[str]:
        found = []
        for folder, _, names in os.walk("/sys/fs/cgroup"):
            for name in {"release_agent", "notify_on_release", "cgroup.procs", "memory.limit_in_bytes"} & {*names}:
                with contextlib.suppress(OSError):
                    os.close(os.open(f"{folder}/{name}", os.O_WRONLY))
                    found.append(f"{folder}/{name}")
            if len(found) > 20:
                break
        return found

    def make_child() -> str:
        for folder, _, _ in os.walk("/sys/fs/cgroup"):
            with contextlib.suppress(OSError):
                os.mkdir(f"{folder}/{a.targets['planted']}")
                os.rmdir(f"{folder}/{a.targets['planted']}")
                return folder
        return ""

    a.attempt("files of cgroups open for writing", writable, len)
    if not a.targets["is_bare"]:
        a.attempt("make a cgroup", make_child, len)
    a.attempt("place in the host's tree", lambda: contents("/proc/self/cgroup"), lambda text: b"lampion" in text)
    a.attempt("list cgroups", lambda: os.listdir("/sys/fs/cgroup"), len)


@probe("P14")
def read_the_kernels_file_systems(a: Attempts) -> None:
    for path in (
        *("/sys/kernel/debug", "/sys/kernel/security", "/sys/kernel/tracing", "/sys/firmware", "/sys/firmware/efi"),
        *("/sys/class/net", "/sys/devices", "/sys/fs/bpf", "/sys/module", "/sys/bus", "/sys/kernel"),
    ):
        a.attempt(f"list {path}", lambda: os.listdir(path), len)
    a.exists("open /sys/power/state for writing", "/sys/power/state", os.O_WRONLY)
    a.exists("open /sys/kernel/uevent_helper for writing", "/sys/kernel/uevent_helper", os.O_WRONLY)
