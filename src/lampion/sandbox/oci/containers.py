"""How every container begins: a keeper is handed its request, with user ids and directories that are nobody else's.

Knows nothing of event loops.
"""

import contextlib
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

from lampion.sandbox.beginnings import entries_of_root
from lampion.sandbox.cgroup_host import is_dead_owner, owner_name, probe_cgroups
from lampion.sandbox.cgroups import CONTROLLERS, Layout
from lampion.sandbox.driver import SandboxError
from lampion.sandbox.host_view import Entry, EntryKind, host_entries, mount_entries, place_entries
from lampion.sandbox.launcher.build import OCI_INIT, SOURCES, ensure_launcher
from lampion.sandbox.launcher.daemon import Launched
from lampion.sandbox.launcher.description import GATEWAY_VARIABLES, RUNTIME_API_ADDRESS, Identity
from lampion.sandbox.oci.bundle import INIT, Controls, View, covers_of, make_bundle
from lampion.sandbox.oci.keeper import __file__ as _keeper
from lampion.sandbox.oci.runtime import OciRuntime, find_runtime
from lampion.sandbox.oci.seccomp import seccomp_section
from lampion.sandbox.spec import SandboxSpec
from lampion.sandbox.user_ids import UserIds

_PACKAGES: Final = Path(__file__).parents[3]
_STATE: Final = "state"
_BINDS: Final = (EntryKind.BIND, EntryKind.BIND_IF_PRESENT)


@dataclass(frozen=True, slots=True)
class Begun:
    """A container that is being made, and the process that keeps it."""

    launched: Launched
    keeper: "subprocess.Popen[bytes]"
    identity: Identity
    bundle: Path
    cgroup_name: str


class Containers:
    """One OCI runtime as this server uses it."""

    def __init__(self, command: tuple[str, ...], parent: str, *, has_unified_view: bool = False) -> None:
        """`has_unified_view`: show the runtime a machine with version 2 cgroups only, which have no limits then."""
        self._command = command
        self._parent = parent
        self.has_unified_view = has_unified_view
        self._owner = owner_name()
        self._family = Path("/run", f"{parent}-oci")
        self._user_ids = UserIds()
        self._names = count(1)
        self._runtime: OciRuntime | None = None
        self._layout: Layout | None = None
        self._covers = covers_of((SOURCES / "proc.c").read_text())
        self._seccomp = seccomp_section((SOURCES / "system_calls.h").read_text(), platform.machine())

    @property
    def layout(self) -> Layout:
        """The cgroups in which the runtime can set limits; looked for once."""
        if self._layout is None:
            self._layout = Layout({}) if self.has_unified_view else probe_cgroups(self._parent).layout
        return self._layout

    def begin(self, spec: SandboxSpec, companion_output: int | None = None) -> Begun:
        """Have a container made; its companions write to that pipe. Raises SandboxError; then nothing is left."""
        if self._runtime is None:
            ensure_launcher()
            self._runtime = find_runtime(self._command)
        name = f"{self._parent}-{self._owner}-{next(self._names)}"
        user_id = self._user_ids.take()
        identity = Identity(user_id, user_id + 1)
        try:
            request = self._request(self._runtime, spec, identity, name)
            self._make_directories()
            launched, keeper = _start_keeper(json.dumps(request).encode(), companion_output)
        except BaseException:
            self._user_ids.give_back(user_id)
            raise
        return Begun(launched, keeper, identity, self._bundle(name), name)

    def give_back(self, begun: Begun) -> None:
        """The container has gone."""
        self._user_ids.give_back(begun.identity.user_id)

    def remains_of(self, begun: Begun) -> list[Path]:
        """What a keeper that was killed has left."""
        return [begun.bundle] if begun.bundle.exists() else []

    def dead_owners(self) -> list[Path]:
        """Directories of servers that don't run any more."""
        try:
            return [owner for owner in self._family.iterdir() if is_dead_owner(owner.name)]
        except OSError:
            return []

    @staticmethod
    def bundles_in(owner: Path) -> list[Path]:
        return sorted(path for path in owner.iterdir() if path.name != _STATE)

    def forget(self, owner: Path) -> None:
        """Remove a server's directory, and that of all servers when it was the last."""
        shutil.rmtree(owner, ignore_errors=True)
        with contextlib.suppress(OSError):
            self._family.rmdir()

    def close(self) -> None:
        """When all containers have gone."""
        self._user_ids.close()
        self.forget(self._family / self._owner)

    def _bundle(self, name: str) -> Path:
        return self._family / self._owner / name

    def _make_directories(self) -> None:
        owner = self._family / self._owner
        try:
            # To be passed through by the containers' users, not to be listed.
            self._family.mkdir(0o711, exist_ok=True)
            owner.mkdir(0o711, exist_ok=True)
        except OSError as error:
            raise SandboxError(f"{owner} can't be made: {error.strerror}") from error

    def _request(self, runtime: OciRuntime, spec: SandboxSpec, identity: Identity, name: str) -> dict[str, Any]:
        if spec.root is None:
            entries = (*host_entries(), *place_entries(identity.user_inside, identity.group_inside))
        else:
            entries = entries_of_root(spec.root)
        views = [*_views((*entries, *mount_entries(spec.mounts))), View(OCI_INIT.resolve(), INIT, is_directory=False)]
        bundle = make_bundle(
            spec,
            identity=identity,
            views=views,
            entries=[entry for entry in entries if entry.kind not in _BINDS],
            controls=self._controls(name),
            covers=self._covers,
            seccomp=self._seccomp,
        )
        return {
            "runtime": runtime.argv,
            "passing": runtime.passing,
            "state": str(self._family / self._owner / _STATE),
            "container": name,
            "bundle": str(self._bundle(name)),
            "cgroup_name": name,
            "unified_cgroups": self.has_unified_view,
            "configuration": bundle.configuration,
            "tree": bundle.tree,
            "companions": _companions_of(spec),
            "tree_owner": identity.keeper_id,
            "pipe_owner": identity.user_id,
            "packages": str(_PACKAGES),
        }

    def _controls(self, name: str) -> Controls:
        if self.has_unified_view:
            return Controls(f"/{name}")
        layout = self.layout
        unified = [hierarchy for hierarchy in layout.hierarchies() if hierarchy.version == 2]
        # A version 1 runtime takes a relative path as one below its own cgroup, of which there is one in each tree.
        cgroup = name
        if unified:
            cgroup = str(Path("/") / unified[0].directory.relative_to(unified[0].mount_point) / name)
        controllers = frozenset(controller for controller in CONTROLLERS if controller in layout.controllers)
        limits_swap = bool(layout.files & {"memory.memsw.limit_in_bytes", "memory.swap.max"})
        return Controls(cgroup, controllers, limits_swap)


def removal_command(bundles: list[Path]) -> list[str]:
    """The program that kills and removes what is left of these containers."""
    return [sys.executable, "-I", "-S", _keeper, "remove", *map(str, bundles)]


def _views(entries: tuple[Entry, ...]) -> list[View]:
    """Looks at the host. Raises SandboxError for what should be there and isn't."""
    views = []
    for entry in entries:
        if entry.kind not in _BINDS:
            continue
        try:
            source = Path(entry.text).resolve(strict=True)
        except (OSError, ValueError) as error:
            if entry.kind is EntryKind.BIND_IF_PRESENT:
                continue
            reason = error.strerror if isinstance(error, OSError) else error
            raise SandboxError(f"{entry.text}: {reason}") from error
        views.append(View(source, entry.path, source.is_dir()))
    return views


def _companions_of(spec: SandboxSpec) -> dict[str, Any] | None:
    if spec.companions is None:
        return None
    environ = {
        **(GATEWAY_VARIABLES if spec.network.has_gateway else {}),
        **spec.companions.environ,
        "AWS_LAMBDA_RUNTIME_API": RUNTIME_API_ADDRESS,
    }
    if any("\0" in word for word in (*spec.companions.programs, *environ, *environ.values())):
        raise SandboxError("a variable or a path of a companion holds a NUL character")
    return {"programs": spec.companions.programs, "environ": environ}


def _start_keeper(request: bytes, companion_output: int | None) -> tuple[Launched, "subprocess.Popen[bytes]"]:
    with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
        try:
            control, their_control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ours.callback(control.close)
            theirs.callback(their_control.close)
            output, their_output = _pipe(ours, theirs)
            telemetry, their_telemetry = _pipe(ours, theirs)
            text = theirs.enter_context(tempfile.TemporaryFile())
            text.write(request)
            text.seek(0)
            descriptors = [their_control.fileno(), their_output, their_telemetry, text.fileno()]
            if companion_output is not None:
                descriptors.append(companion_output)
            keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", _keeper, "hold", *map(str, descriptors)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
                cwd="/",
                pass_fds=descriptors,
                start_new_session=True,
            )
        except OSError as error:
            raise SandboxError(f"the container's keeper doesn't start: {error.strerror}") from error
        ours.pop_all()
    control.setblocking(False)
    return Launched(control, output, telemetry), keeper


def _pipe(ours: contextlib.ExitStack, theirs: contextlib.ExitStack) -> tuple[int, int]:
    read_end, write_end = os.pipe()
    ours.callback(os.close, read_end)
    theirs.callback(os.close, write_end)
    os.set_blocking(read_end, False)
    return read_end, write_end
