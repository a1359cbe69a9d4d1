"""The probes of the escape suite: what each stands for, where it runs, and whether a machine without walls lets it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Path(StrEnum):
    """How a probe gets to run."""

    SANDBOX = "sandbox"  # as the first process of a sandbox
    PRODUCT = "product"  # as a function on a live server


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One probe. `closed_by_host` says why even the control run can't be open; empty: it must be open there."""

    name: str
    group: str
    title: str
    parts: tuple[str, ...] = ("",)
    path: Path = Path.SANDBOX
    closed_by_host: str = ""
    is_slow: bool = False
    memory_mib: int = 512
    tmp_mib: int = 64
    cpu_cores: float = 2.0

    @property
    def runs(self) -> tuple[str, ...]:
        """What the programs are asked for: the name, with a part where there are several."""
        return tuple(f"{self.name}:{part}" if part else self.name for part in self.parts)


def _product(name: str, group: str, title: str) -> Probe:
    return Probe(name=name, group=group, title=title, path=Path.PRODUCT, closed_by_host="needs a server", is_slow=True)


def _resource(name: str, title: str, *parts: str, memory_mib: int = 128, cpu_cores: float = 2.0) -> Probe:
    return Probe(
        name=name,
        group="resources",
        title=title,
        parts=parts,
        memory_mib=memory_mib,
        cpu_cores=cpu_cores,
        is_slow=True,
    )


LISTED: Final = (
    Probe(name="P01", group="files", title="read the host's files: shadow, homes, database, keys"),
    Probe(name="P02", group="files", title="use inherited descriptors, the shim's descriptors, a directory left open"),
    Probe(name="P03", group="files", title="overwrite the launcher or the interpreter"),
    Probe(name="P04", group="files", title="change code, runtime or layers"),
    Probe(name="P05", group="files", title="write outside /tmp; find what a predecessor left"),
    Probe(name="P06", group="files", title="links and races in /tmp, code and logs for the host to follow"),
    Probe(name="P07", group="files", title="mount, unmount, pivot_root, chroot"),
    Probe(name="P08", group="files", title="open_by_handle_at"),
    Probe(name="P09", group="files", title="make and open device nodes"),
    Probe(name="P10", group="files", title="setuid programs and file capabilities"),
    Probe(name="P11", group="proc", title="other processes' environment, memory, maps, root"),
    Probe(name="P12", group="proc", title="core_pattern, sysrq-trigger, kcore, timer_list, kallsyms"),
    Probe(name="P13", group="proc", title="the cgroup tree, release_agent"),
    Probe(name="P14", group="proc", title="/sys/kernel/debug, security, firmware, efi"),
    Probe(name="P15", group="kernel", title="nested namespaces by unshare, clone, clone3"),
    Probe(name="P16", group="kernel", title="ptrace, process_vm_readv, pidfd_getfd of the shim"),
    Probe(name="P17", group="kernel", title="bpf, perf_event_open, userfaultfd, fanotify"),
    Probe(name="P18", group="kernel", title="io_uring"),
    Probe(name="P19", group="kernel", title="keyctl, add_key, request_key"),
    Probe(name="P20", group="kernel", title="modules, kexec, reboot, clock, host name, swap"),
    Probe(name="P21", group="kernel", title="enter other namespaces"),
    Probe(name="P22", group="kernel", title="AF_ALG, AF_VSOCK, AF_PACKET, netlink and other exotic sockets"),
    Probe(name="P23", group="kernel", title="the i386 and x32 interfaces"),
    Probe(name="P24", group="kernel", title="system calls 0 to 1023 against the documented list", is_slow=True),
    Probe(name="P25", group="network", title="the host's loopback, the server, other sandboxes"),
    Probe(name="P26", group="network", title="abstract and named unix sockets"),
    Probe(name="P27", group="network", title="metadata services at link-local addresses"),
    Probe(name="P28", group="network", title="raw packets, foreign addresses, port scans", is_slow=True),
    _product("P29", "network", "abuse of one's own Runtime API"),
    Probe(name="P30", group="network", title="leak by DNS"),
    Probe(name="P31", group="network", title="listen where the host can see it, or at a privileged port", is_slow=True),
    Probe(name="P32", group="signals", title="signal the launcher, the server, everybody"),
    Probe(name="P33", group="signals", title="type into the terminal of who started the server"),
    _resource("P34", "fork and thread bombs", "processes", "threads", memory_mib=1024),
    _resource("P35", "memory of every kind", "anonymous", "files", "pipes", "sockets", "locked"),
    _resource("P36", "descriptors, inotify, System V, timers, keys", "descriptors", "objects"),
    _resource("P37", "processor time and priority", "time", "priority", cpu_cores=0.25),
    _resource("P38", "disk space and number of files", "space", "files", memory_mib=256),
    _product("P39", "resources", "log floods and huge lines"),
    Probe(
        name="P40",
        group="resources",
        title="processes that outlive the function, or run while it is frozen",
        is_slow=True,
    ),
    _product("P41", "confusion", "take another invocation's event"),
    Probe(name="P42", group="confusion", title="read another sandbox's environment, credentials, files"),
    _product("P43", "confusion", "forge REPORT and platform lines"),
    _product("P44", "confusion", "an extension that pretends to be the runtime"),
    Probe(name="P45", group="confusion", title="poison shared code and pages; repeat randomness"),
    _product("P46", "confusion", "predict names, ids and tokens"),
    _product("P47", "confusion", "bombs and headers in a response"),
    _product("P48", "confusion", "invoke others with one's own role; recursion"),
)
"""The 48 of the list."""

_OWN = "concerns a sandbox's own parts, which the control run hasn't got"
EXTRA: Final = (
    Probe(name="X01", group="extra", title="change process 1, which may have the function's user"),
    Probe(name="X02", group="extra", title="learn the host's paths", closed_by_host=_OWN),
    Probe(name="X03", group="extra", title="watch the use of shared directories by inotify"),
    Probe(name="X04", group="extra", title="crash into the host's core dump program", closed_by_host="core_pattern"),
    Probe(name="X05", group="extra", title="lock files that others use"),
    Probe(name="X06", group="extra", title="identify the machine"),
    Probe(
        name="X07",
        group="extra",
        title="escape the killer of processes",
        closed_by_host="needs CAP_SYS_RESOURCE, which root hasn't got everywhere",
    ),
    Probe(name="X08", group="extra", title="take or upset the Runtime API's port", closed_by_host=_OWN),
    Probe(name="X09", group="extra", title="statistics of the whole machine"),
    Probe(name="X10", group="extra", title="flush the host's file systems"),
    _product("X11", "extra", "share hash seed and address layout with other functions"),
    _product("X12", "extra", "find what other functions left in one's own memory"),
)
"""Attacks on this design in particular; counted apart."""

ALL: Final = LISTED + EXTRA
LEAST_OPEN_IN_CONTROL: Final = 20


def named(name: str) -> Probe:
    """The probe of that name, or that a run such as `P35:pipes` belongs to."""
    return next(probe for probe in ALL if probe.name == name.partition(":")[0])
