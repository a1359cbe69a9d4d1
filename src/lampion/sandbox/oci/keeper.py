"""Run by path, a process for each container: makes its bundle and network, has the OCI runtime run it, sees to its end.

keeper hold CONTROL OUTPUT TELEMETRY REQUEST [COMPANIONS]: descriptors, the last of what companions write to. Speaks to
the server as the launcher does (launcher/messages.py); the end of CONTROL means "kill". REQUEST is JSON
(containers.py).
keeper remove BUNDLE...: what keepers left that were killed.
Imports none of our packages until the function has ended.
"""

import ctypes
import fcntl
import json
import os
import select
import shutil
import signal
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Any, Final

PORTS: Final = (9001, 9002)  # the Runtime API's and the gateway's
RECORD: Final = "keeper.json"
PATIENCE_SECONDS: Final = 30.0
_CLONE_NEWNS: Final = 0x0002_0000
_CLONE_NEWNET: Final = 0x4000_0000
_MS_REC_PRIVATE: Final = 0x4000 | 0x4_0000
_SIOCSIFFLAGS: Final = 0x8914
_IFF_UP: Final = 0x1
_SIOCSIFADDR: Final = 0x8916
_SIOCSIFNETMASK: Final = 0x891C
_TRACES_ADDRESS: Final = "169.254.100.1"
"""As in launcher/network.c: where functions send their traces is an address of the sandbox itself."""
_PR_SET_CHILD_SUBREAPER: Final = 36
_FIRST_FREE: Final = 16  # above all numbers that a container gets
_MESSAGE_BYTES: Final = 1024
_LOG_CHARACTERS: Final = 600
_ENVIRON: Final = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
_LIBC: Final = ctypes.CDLL(None, use_errno=True)

Request = dict[str, Any]


class StepError(Exception):
    """What failed and why, for the server."""


def _call(name: str, *arguments: Any) -> None:
    if getattr(_LIBC, name)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)


def _aside(descriptor: int) -> int:
    """The same file under a number that no container is given."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE)
    os.close(descriptor)
    return moved


def _show_one_cgroup_tree() -> None:
    """A mount namespace in which the machine looks as if it had version 2 only, for runtimes that refuse a mixture."""
    _call("unshare", _CLONE_NEWNS)
    _call("mount", None, b"/", None, _MS_REC_PRIVATE, None)
    _call("mount", b"cgroup2", b"/sys/fs/cgroup", b"cgroup2", 0, None)


def _listen_in_own_network(control: socket.socket) -> None:
    """This process, and so the container, gets a network with nothing but loopback; the server, what listens there."""
    _call("unshare", _CLONE_NEWNET)
    listeners = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in PORTS]
    fcntl.ioctl(listeners[0].fileno(), _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
    for what, value in ((_SIOCSIFADDR, _TRACES_ADDRESS), (_SIOCSIFNETMASK, "255.255.255.255")):
        address = struct.pack("16sHH4s8x", b"lo:0", socket.AF_INET, 0, socket.inet_aton(value))
        fcntl.ioctl(listeners[0].fileno(), what, address)
    for listener, port in zip(listeners, PORTS, strict=True):
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    socket.send_fds(control, [b"prepared"], [listener.fileno() for listener in listeners])
    for listener in listeners:
        listener.close()


def _make_tree(root: Path, entries: list[list[str]], owner: int) -> None:
    root.mkdir(0o755)
    for kind, path, text in entries:
        place = root / path.lstrip("/")
        (place if kind == "directory" else place.parent).mkdir(0o755, parents=True, exist_ok=True)
        if kind == "symlink":
            place.symlink_to(text)
        elif kind == "directory" and text:
            place.chmod(int(text, 8))
        elif kind == "file":
            place.write_text(text)
    for made in (root, *root.rglob("*")):
        os.chown(made, owner, owner, follow_symlinks=False)


def _run(argv: list[str], descriptors: list[int]) -> int:
    """The exit code of a program that gets `descriptors` as 0, 1, 2 and so on."""
    actions = [(os.POSIX_SPAWN_DUP2, descriptor, number) for number, descriptor in enumerate(descriptors)]
    pid = os.posix_spawn(argv[0], argv, _ENVIRON, file_actions=actions)
    process = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(process, select.POLLIN)
    if not poll.poll(PATIENCE_SECONDS * 1000):
        signal.pidfd_send_signal(process, signal.SIGKILL)
    os.close(process)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _delete(record: Request) -> None:
    """Kill and forget the container, whatever state it is in, and remove its bundle."""
    nothing = os.open("/dev/null", os.O_RDWR)
    try:
        _run([*record["runtime"], "--root", record["state"], "delete", "--force", record["container"]], [nothing] * 3)
    finally:
        os.close(nothing)
        shutil.rmtree(record["bundle"], ignore_errors=True)


class Container:
    """One container, from its bundle to its end."""

    def __init__(
        self, request: Request, control: socket.socket, output: int, telemetry: int, companions: int | None
    ) -> None:
        self._request = request
        self._companions = companions
        self._control = control
        self._output = output
        self._telemetry = telemetry
        self._bundle = Path(request["bundle"])
        self._init: socket.socket | None = None
        self._process = -1
        self._cgroups = ""
        self._ending = f"signal {int(signal.SIGKILL)}"
        self._failure = ""
        self._is_killed = False

    def hold(self) -> None:
        """Until nothing of it exists any more, and the server has been told how it ended."""
        _call("prctl", _PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        has_run = False
        counters = "oom 0 peak 0"
        try:
            self._make_bundle()
            _listen_in_own_network(self._control)
            self._start()
            has_run = True
            self._attend()
            counters = self._count()
        except (OSError, StepError) as error:
            self._failure = self._failure or str(error)
        finally:
            _delete(self._request)
            self._reap()
        if self._failure or not has_run:
            self._tell(f"error {self._failure}")
        else:
            self._tell(f"exit {self._ending} {counters} killed {int(self._is_killed)}")

    def _make_bundle(self) -> None:
        request = self._request
        self._bundle.mkdir(0o711)
        record = {name: request[name] for name in ("runtime", "state", "container", "bundle", "unified_cgroups")}
        for name, content in ((RECORD, record), ("config.json", request["configuration"])):
            path = self._bundle / name
            path.touch(0o600)  # the configuration holds the function's variables
            path.write_text(json.dumps(content))
        _make_tree(self._bundle / "rootfs", request["tree"], request["tree_owner"])
        # Opening /dev/stdout opens the pipe anew, which only its owner may.
        for pipe in (self._output, self._telemetry, *(() if self._companions is None else (self._companions,))):
            os.fchown(pipe, request["pipe_owner"], request["pipe_owner"])
        if request["unified_cgroups"]:
            _show_one_cgroup_tree()

    def _start(self) -> None:
        request = self._request
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        moved = socket.socket(fileno=_aside(theirs.detach()))
        nothing = _aside(os.open("/dev/null", os.O_RDONLY))
        argv = [*request["runtime"], "--root", request["state"], "--log", f"{self._bundle}/log", "run", "--detach"]
        argv += ["--bundle", str(self._bundle), "--pid-file", f"{self._bundle}/pid", *request["passing"]]
        with moved:
            code = _run(
                [*argv, request["container"]], [nothing, self._output, self._output, self._telemetry, moved.fileno()]
            )
        os.close(nothing)
        os.close(self._output)
        os.close(self._telemetry)
        if code != 0:
            ours.close()
            raise StepError(f"{argv[0]}: {self._log() or f'ended with {code}'}")
        self._process = os.pidfd_open(int((self._bundle / "pid").read_text()))
        self._init = ours

    def _attend(self) -> None:
        """Pass on what server and process 1 have to say to each other, until process 1 has ended."""
        assert self._init is not None
        poll = select.poll()
        for descriptor in (self._control.fileno(), self._init.fileno(), self._process):
            poll.register(descriptor, select.POLLIN)
        deadline: float | None = time.monotonic() + PATIENCE_SECONDS
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
            ready = [descriptor for descriptor, _ in poll.poll(left)]
            if self._init.fileno() in ready:
                is_running = self._hear_init()
                if is_running is None:
                    poll.unregister(self._init.fileno())
                elif is_running:
                    deadline = None
            elif self._process in ready:
                return
            if self._control.fileno() in ready and not self._hear_server():
                poll.unregister(self._control.fileno())
            if not ready:
                self._failure = "process 1 of the container doesn't answer"
                self._kill()

    def _hear_init(self) -> bool | None:
        """Whether it says that the function runs; None when it will say no more."""
        assert self._init is not None
        try:
            text = self._init.recv(_MESSAGE_BYTES).decode(errors="replace")
        except OSError:
            text = ""
        kind = text.partition(" ")[0]
        if kind == "ready":
            # While it can't end by itself: a process that has ended is in no cgroup.
            self._cgroups = Path(f"/proc/{self._pid()}/cgroup").read_text()
            self._go()
        elif kind == "running":
            self._tell("running")
        elif kind == "error":
            self._failure = text.removeprefix("error ")
        elif kind in ("code", "signal"):
            self._ending = text
        elif kind == "process":
            self._tell(f"{text} {self._count().partition(' peak')[0]}")
        return None if not text else kind == "running"

    def _go(self) -> None:
        """With the companions, if there are some (launcher/oci/init.c)."""
        assert self._init is not None
        if self._companions is None:
            self._init.send(b"go")
            return
        wanted = self._request["companions"]
        words = [f"p{program}" for program in wanted["programs"]]
        words += [f"v{name}={value}" for name, value in wanted["environ"].items()]
        text = os.memfd_create("companions", os.MFD_CLOEXEC)
        with os.fdopen(text, "wb") as file:
            file.write(b"".join(os.fsencode(word) + b"\0" for word in words))
            file.flush()
            socket.send_fds(self._init, [b"go"], [text, self._companions])
        os.close(self._companions)

    def _hear_server(self) -> bool:
        """False when the server has gone."""
        assert self._init is not None
        try:
            order = self._control.recv(_MESSAGE_BYTES)
        except OSError:
            order = b""
        if order == b"socket":
            self._offer_socket()
        elif order in (b"term", b"stop", b"continue", b"main") or order.startswith(b"end "):
            try:
                self._init.send(order)
            except OSError:
                return True  # it has ended already
        else:
            self._kill()
        return order != b""

    def _offer_socket(self) -> None:
        """One of the container's network, which is this process's own; none when there can be no more."""
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as made:
                socket.send_fds(self._control, [b"socket"], [made.fileno()])
        except OSError:
            self._tell("socket")

    def _kill(self) -> None:
        self._is_killed = True
        try:
            signal.pidfd_send_signal(self._process, signal.SIGKILL)
        except ProcessLookupError:
            return

    def _pid(self) -> int:
        return int(Path(f"/proc/self/fdinfo/{self._process}").read_text().partition("Pid:")[2].split()[0])

    def _count(self) -> str:
        """How often memory ran out, and the most that was in use; from the cgroup while it is still there."""
        sys.path.append(self._request["packages"])
        from lampion.sandbox.oci.cgroup_files import find_cgroup_files, oom_kills  # noqa: PLC0415

        files = find_cgroup_files(self._cgroups, self._request["cgroup_name"])
        if files.oom_file is None or files.peak_file is None:
            return "oom 0 peak 0"
        return f"oom {oom_kills(files.oom_file.read_text())} peak {int(files.peak_file.read_text())}"

    def _log(self) -> str:
        """The runtime's last words."""
        try:
            lines = (self._bundle / "log").read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return lines[-1].strip()[-_LOG_CHARACTERS:] if lines else ""

    def _reap(self) -> None:
        """Whoever the runtime left to us."""
        try:
            while os.waitpid(-1, 0)[0] > 0:
                pass
        except ChildProcessError:
            return

    def _tell(self, text: str) -> None:
        try:
            self._control.send(text.encode()[:_MESSAGE_BYTES])
        except OSError:
            return  # the server has gone


def _hold(words: list[str]) -> None:
    control, output, telemetry = (_aside(int(word)) for word in words[:3])
    with os.fdopen(_aside(int(words[3]))) as file:
        request = json.load(file)
    companions = _aside(int(words[4])) if len(words) > 4 else None
    with socket.socket(fileno=control) as connection:
        Container(request, connection, output, telemetry, companions).hold()


def _remove(bundles: list[str]) -> None:
    is_unified = False
    for bundle in bundles:
        try:
            record = json.loads(Path(bundle, RECORD).read_text())
        except (OSError, ValueError):
            shutil.rmtree(bundle, ignore_errors=True)  # killed before there was anything else
            continue
        if record["unified_cgroups"] and not is_unified:
            _show_one_cgroup_tree()
            is_unified = True
        _delete(record)


if __name__ == "__main__":
    if sys.argv[1] == "hold":
        _hold(sys.argv[2:])
    else:
        _remove(sys.argv[2:])
