"""P15-P22: parts of the kernel that no function needs."""

import ctypes
import os
import signal
import socket
import struct
from collections.abc import Callable

from .attempts import SECRET, Attempts, probe
from .kernel_calls import (
    NEWCGROUP,
    NEWIPC,
    NEWNET,
    NEWNS,
    NEWPID,
    NEWTIME,
    NEWUSER,
    NEWUTS,
    call,
    gate,
)

KINDS = {
    "user": NEWUSER,
    "mount": NEWNS,
    "process": NEWPID,
    "network": NEWNET,
    "IPC": NEWIPC,
    "host name": NEWUTS,
    "cgroup": NEWCGROUP,
    "time": NEWTIME,
}
PTRACE_SEIZE, PTRACE_ATTACH = 0x4206, 16


@probe("P15")
def make_namespaces(a: Attempts) -> None:
    for kind, flag in KINDS.items():
        a.attempt(f"unshare {kind}", lambda: call("unshare", flag))
        if flag != NEWTIME:
            a.attempt(f"clone {kind}", lambda: _end_child(call("clone", flag | signal.SIGCHLD, 0, 0, 0, 0)))
        a.attempt(f"clone3 {kind}", lambda: _clone3(flag))
    a.attempt("unshare user, then mounts", lambda: (call("unshare", NEWUSER), call("unshare", NEWNS)))


def _clone3(flag: int) -> int:
    arguments = (ctypes.c_uint64 * 11)(flag, 0, 0, 0, signal.SIGCHLD)
    return _end_child(call("clone3", arguments, 88))


def _end_child(process: int) -> int:
    if process == 0:
        os._exit(0)
    os.waitpid(process, 0)
    return process


@probe("P16")
def look_into_the_shim(a: Attempts) -> None:
    address = a.targets["victim_address"]
    for process in {*a.targets["shim_pids"], a.targets["victim_pid"], a.targets["sibling_pid"]}:
        a.attempt(f"ptrace {process}", lambda: call("ptrace", PTRACE_SEIZE, process, 0, 0))
        a.attempt(f"descriptor of {process}", lambda: _stolen_descriptor(process))
        a.attempt(f"compare with {process}", lambda: call("kcmp", process, os.getpid(), 1, 0, 0))
        a.exists(f"memory of {process}", f"/proc/{process}/mem", os.O_RDWR)
    a.attempt("read the victim's memory", lambda: _remote_memory(a.targets["victim_pid"], address), SECRET.search)
    for process in a.targets["shim_pids"]:

        def probe_memory(process: int = process) -> bytes:
            # EFAULT says that the right was there and only the address wasn't.
            try:
                return _remote_memory(process, 4096)
            except OSError as error:
                if error.errno == 14:
                    return b"only the address was wrong"
                raise

        a.attempt(f"process_vm_readv of {process}", probe_memory)


def _stolen_descriptor(process: int) -> str:
    descriptor = call("pidfd_getfd", call("pidfd_open", process, 0), 0, 0)
    return os.readlink(f"/proc/self/fd/{descriptor}")


def _remote_memory(process: int, address: int) -> bytes:
    buffer = ctypes.create_string_buffer(64)
    here = (ctypes.c_uint64 * 2)(ctypes.addressof(buffer), 64)
    there = (ctypes.c_uint64 * 2)(address, 64)
    call("process_vm_readv", process, here, 1, there, 1, 0)
    return buffer.raw


@probe("P17")
def load_programs_into_the_kernel(a: Attempts) -> None:
    bpf_map = (ctypes.c_uint32 * 32)(2, 4, 4, 1)
    a.attempt("bpf map", lambda: call("bpf", 0, bpf_map, 72))
    filter_code = ctypes.create_string_buffer(bytes.fromhex("b7000000000000009500000000000000"))
    license_text = ctypes.create_string_buffer(b"GPL")
    program = (ctypes.c_uint64 * 16)(1 | 2 << 32, ctypes.addressof(filter_code), ctypes.addressof(license_text))
    a.attempt("bpf program", lambda: call("bpf", 5, program, 128))
    for name, flags in (("own user code", 1 << 5 | 1 << 6), ("everything", 0)):
        event = (ctypes.c_uint64 * 16)(1 | 128 << 32, 0, 0, 0, 0, flags)
        a.attempt(f"perf_event_open: {name}", lambda: call("perf_event_open", event, 0, -1, -1, 0))
    a.attempt("userfaultfd", lambda: call("userfaultfd", 0))
    a.attempt("userfaultfd for user faults", lambda: call("userfaultfd", 1))
    a.attempt("fanotify", lambda: call("fanotify_init", 0x200, 0))


@probe("P18")
def use_io_uring(a: Attempts) -> None:
    parameters = (ctypes.c_uint64 * 15)()
    a.attempt("io_uring_setup", lambda: call("io_uring_setup", 8, parameters))
    a.attempt("io_uring_setup, gate only", lambda: gate("io_uring_setup", 0, parameters))
    a.attempt("io_uring_register", lambda: gate("io_uring_register", -1, 0, None, 0))


@probe("P19")
def use_keyrings(a: Attempts) -> None:
    process_ring, session_ring, user_ring = -2, -3, -4
    a.attempt("add_key", lambda: call("add_key", "user", "lampion-test", b"x", 1, process_ring))
    a.attempt("request_key", lambda: gate("request_key", "user", "lampion-test-missing", None, 0))
    for name, ring in (("process", process_ring), ("session", session_ring), ("user", user_ring)):
        a.attempt(f"id of the {name} keyring", lambda: call("keyctl", 0, ring, 0))
    a.attempt("join a session keyring", lambda: call("keyctl", 1, None))


@probe("P20")
def administer_the_machine(a: Attempts) -> None:
    def set_clock() -> int:
        state = ctypes.create_string_buffer(208)
        call("adjtimex", state)
        ctypes.c_uint32.from_buffer(state).value = 0x4000  # the tick, to what it is
        return call("adjtimex", state)

    text = ctypes.create_string_buffer(256)
    a.attempt("init_module", lambda: gate("init_module", b"no module", 9, ""))
    a.attempt("finit_module", lambda: gate("finit_module", -1, "", 0))
    a.attempt("delete_module", lambda: gate("delete_module", "lampion_test_missing", 0o4000))
    a.attempt("kexec_load", lambda: gate("kexec_load", 0, 0, None, 0xFFFF))
    a.attempt("reboot", lambda: gate("reboot", 0xFEE1DEAD, 672274793, 0x7FFFFFFF, None))
    a.attempt("set the clock", set_clock)
    a.attempt("set the host name", lambda: call("sethostname", "lampion-test", 12))
    a.attempt("swapon", lambda: gate("swapon", "/tmp/lampion-test-missing", 0))
    a.attempt("process accounting", lambda: gate("acct", "/tmp/lampion-test-missing"))
    a.attempt("read the kernel's log", lambda: call("syslog", 3, text, 255))


@probe("P21")
def enter_namespaces(a: Attempts) -> None:
    def enter(path: str) -> int:
        return call("setns", os.open(path, os.O_RDONLY), 0)

    def enter_left_open() -> str:
        for name in os.listdir("/proc/self/fd"):
            target = os.readlink(f"/proc/self/fd/{name}")
            if ":[" in target and not target.startswith(("pipe", "socket")):
                return f"{call('setns', int(name), 0)} {target}"
        raise FileNotFoundError(2, "no descriptor of a namespace")

    targets = {*a.targets["shim_pids"], a.targets["victim_pid"], a.targets["sibling_pid"], "self"}
    for process in targets:
        for kind in ("net", "mnt", "pid", "user", "ipc", "uts", "cgroup"):
            a.attempt(f"enter {kind} of {process}", lambda: enter(f"/proc/{process}/ns/{kind}"))
    a.attempt("enter by an inherited descriptor", enter_left_open)


FAMILIES = {
    "AF_ALG": 38,
    "AF_VSOCK": 40,
    "AF_PACKET": 17,
    "AF_TIPC": 30,
    "AF_KEY": 15,
    "AF_RDS": 21,
    "AF_CAN": 29,
    "AF_BLUETOOTH": 31,
    "AF_NFC": 39,
    "AF_QIPCRTR": 42,
    "AF_SMC": 43,
    "AF_XDP": 44,
    "AF_KCM": 41,
    "AF_PPPOX": 24,
    "AF_AX25": 3,
}
NETLINK = {
    "USERSOCK": 2,
    "SOCK_DIAG": 4,
    "NFLOG": 5,
    "XFRM": 6,
    "AUDIT": 9,
    "CONNECTOR": 11,
    "NETFILTER": 12,
    "KOBJECT_UEVENT": 15,
    "GENERIC": 16,
    "CRYPTO": 21,
}


@probe("P22")
def use_exotic_sockets(a: Attempts) -> None:
    for name, family in FAMILIES.items():
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
            a.attempt(f"{name} {kind.name}", _open_socket(family, kind))
    for name, protocol in NETLINK.items():
        a.attempt(f"netlink {name}", _open_socket(16, socket.SOCK_RAW, protocol))
    a.attempt("netlink ROUTE: add an address", _add_address)


def _open_socket(family: int, kind: int, protocol: int = 0) -> Callable[[], str]:
    def open_it() -> str:
        with socket.socket(family, kind, protocol) as made:
            return f"descriptor {made.fileno()}"

    return open_it


def _add_address() -> int:
    """Asking is what getaddrinfo does and may work; changing the network may not."""
    with socket.socket(16, socket.SOCK_RAW, 0) as route:
        address = struct.pack("BBBBi", 2, 32, 0, 0, 1) + struct.pack("HH4s", 8, 2, bytes([127, 9, 9, 9]))
        route.sendto(struct.pack("IHHII", 16 + len(address), 20, 0x605, 1, 0) + address, (0, 0))
        answer = route.recv(4096)
    kind, code = struct.unpack_from("H", answer, 4)[0], struct.unpack_from("i", answer, 16)[0]
    if kind == 2 and code < 0:
        raise OSError(-code, os.strerror(-code))
    return int(code)
