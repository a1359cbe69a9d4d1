"""A sandbox in the words of the OCI runtime specification 1.1 (config.json) and the tree that it stands on. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lampion.sandbox.cgroups import CPU_PERIOD_MICROSECONDS
from lampion.sandbox.driver import SandboxError
from lampion.sandbox.host_view import Entry, EntryKind
from lampion.sandbox.launcher.description import GATEWAY_VARIABLES, RUNTIME_API_ADDRESS, Identity, resource_limits
from lampion.sandbox.spec import Limits, SandboxSpec

VERSION: Final = "1.1.0"
INIT: Final = "/init"
_MIB: Final = 1024 * 1024
_UNLIMITED: Final = (1 << 64) - 1
_OWN_DIRECTORIES: Final = ("/dev", "/proc", "/tmp")  # noqa: S108 - inside the sandbox
_NAMESPACES: Final = ("user", "mount", "pid", "ipc", "uts", "cgroup")
_CAPABILITY_SETS: Final = ("bounding", "effective", "inheritable", "permitted", "ambient")
_VIEW: Final = ["rbind", "rprivate", "ro", "nosuid", "nodev"]
_LIST: Final = re.compile(r"(\w+)\[\] = \{(.*?)\};", re.DOTALL)
_LISTED: Final = re.compile(r'"([^"]*)"')


@dataclass(frozen=True, slots=True)
class View:
    """A read-only view of the host's `source`, which exists and has no symbolic link in its path."""

    source: Path
    target: str
    is_directory: bool


@dataclass(frozen=True, slots=True)
class Controls:
    """The cgroup, in the runtime's words, and which limits can be asked for there."""

    cgroup: str
    controllers: frozenset[str] = frozenset()
    limits_swap: bool = False


@dataclass(frozen=True, slots=True)
class Covers:
    """What of /proc can't be seen, or not be written."""

    masked: tuple[str, ...]
    read_only: tuple[str, ...]


def covers_of(source: str) -> Covers:
    """From the text of launcher/proc.c, so that it is said once."""
    lists = {name: tuple(_LISTED.findall(words)) for name, words in _LIST.findall(source)}
    return Covers(lists["hidden_files"] + lists["hidden_directories"], lists["read_only"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What the keeper makes: `tree` are (kind, path, text) of directories, files and symbolic links.

    The text of a directory is its mode, if that isn't 755.
    """

    configuration: Mapping[str, Any]
    tree: tuple[tuple[str, str, str], ...] = field(default=())


def make_bundle(
    spec: SandboxSpec,
    *,
    identity: Identity,
    views: Iterable[View],
    entries: Iterable[Entry],
    controls: Controls,
    covers: Covers,
    seccomp: Mapping[str, Any] | None,
) -> Bundle:
    """`entries`: all but binds, which are `views`. Raises SandboxError for what no runtime could be told."""
    seen, made = tuple(views), tuple(entries)
    _check_text(spec)
    _check_places(seen, made)
    linux: dict[str, Any] = {
        "namespaces": [{"type": kind} for kind in _NAMESPACES],  # the network is the keeper's own, inherited
        "uidMappings": _mappings(identity.user_inside, identity),
        "gidMappings": _mappings(identity.group_inside, identity),
        "cgroupsPath": controls.cgroup,
        "resources": _resources(spec.limits, controls),
        "maskedPaths": list(covers.masked),
        "readonlyPaths": list(covers.read_only),
    }
    if seccomp is not None:
        linux["seccomp"] = seccomp
    configuration = {
        "ociVersion": VERSION,
        "process": _process(spec, identity),
        "root": {"path": "rootfs", "readonly": True},
        "hostname": "localhost",
        "mounts": [*_own_mounts(spec.limits), *(_mount(view) for view in seen)],
        "linux": linux,
    }
    return Bundle(configuration=configuration, tree=_tree(seen, made))


def _process(spec: SandboxSpec, identity: Identity) -> dict[str, Any]:
    environ = {
        **(GATEWAY_VARIABLES if spec.network.has_gateway else {}),
        **spec.environ,
        "AWS_LAMBDA_RUNTIME_API": RUNTIME_API_ADDRESS,
        **spec.telemetry_variables,
    }
    home = "unset" if "HOME" not in environ else "keep" if environ["HOME"] else "empty"
    return {
        "terminal": False,
        "user": {"uid": identity.user_inside, "gid": identity.group_inside},
        "args": [INIT, home, spec.working_directory, *spec.argv],
        "env": [f"{name}={value}" for name, value in environ.items()],
        "cwd": "/",
        "capabilities": {kind: [] for kind in _CAPABILITY_SETS},
        "noNewPrivileges": True,
        "rlimits": [
            {"type": f"RLIMIT_{name.upper()}", "soft": _number(soft), "hard": _number(hard)}
            for name, soft, hard in resource_limits(spec.limits)
        ],
    }


def _number(limit: int) -> int:
    return _UNLIMITED if limit < 0 else limit


def _mappings(inside: int, identity: Identity) -> list[dict[str, int]]:
    """The function's id, and one for who the tree belongs to; nobody else exists inside."""
    pairs = ((inside, identity.user_id), (0, identity.keeper_id))
    return [{"containerID": here, "hostID": there, "size": 1} for here, there in pairs if there is not None]


def _resources(limits: Limits, controls: Controls) -> dict[str, Any]:
    resources: dict[str, Any] = {}
    size_bytes = limits.memory_mib * _MIB
    if "memory" in controls.controllers:
        swap = {"swap": size_bytes} if controls.limits_swap else {}  # memory and swap together
        resources["memory"] = {"limit": size_bytes, **swap}
    if "cpu" in controls.controllers:  # a whole core until INIT is over
        resources["cpu"] = {"quota": CPU_PERIOD_MICROSECONDS, "period": CPU_PERIOD_MICROSECONDS}
    if "pids" in controls.controllers:
        resources["pids"] = {"limit": limits.max_processes + 1}  # process 1 is ours
    return resources


def _own_mounts(limits: Limits) -> list[dict[str, Any]]:
    safe = ["nosuid", "nodev"]
    return [
        {"destination": "/proc", "type": "proc", "source": "proc", "options": [*safe, "noexec"]},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"]},
        _temporary("/dev/shm", limits.memory_mib, safe),  # noqa: S108
        _temporary("/tmp", limits.tmp_mib, safe),  # noqa: S108
    ]


def _temporary(path: str, size_mib: int, options: list[str]) -> dict[str, Any]:
    sized = [*options, "mode=1777", f"size={size_mib * _MIB}"]
    return {"destination": path, "type": "tmpfs", "source": "tmpfs", "options": sized}


def _mount(view: View) -> dict[str, Any]:
    return {"destination": view.target, "type": "bind", "source": str(view.source), "options": list(_VIEW)}


def _tree(views: tuple[View, ...], entries: tuple[Entry, ...]) -> tuple[tuple[str, str, str], ...]:
    return (
        *(("directory", path, "") for path in _OWN_DIRECTORIES[:-1]),
        ("directory", _OWN_DIRECTORIES[-1], "1777"),  # runc gives what it mounts there the mode that it finds
        *(("directory" if view.is_directory else "file", view.target, "") for view in views),
        *((entry.kind.value, entry.path, entry.text) for entry in entries),
    )


def _check_text(spec: SandboxSpec) -> None:
    words = [*spec.argv, spec.working_directory, *spec.environ, *spec.environ.values()]
    if any("\0" in word for word in words):
        raise SandboxError("an argument, a variable or a path of the sandbox holds a NUL character")
    try:
        "".join(words).encode()
    except UnicodeEncodeError:
        raise SandboxError("an argument or a variable isn't UTF-8, which an OCI configuration must be") from None


def _check_places(views: tuple[View, ...], entries: tuple[Entry, ...]) -> None:
    """Every place is in our own tree: the keeper makes what is missing, and must not make it on the host."""
    closed = {*_OWN_DIRECTORIES, INIT} | {entry.path for entry in entries if entry.kind is not EntryKind.DIRECTORY}
    for view in views:
        path = Path(view.target)
        if str(path) != view.target or not path.is_absolute() or ".." in path.parts or len(path.parts) == 1:
            raise SandboxError(f"{view.target!r} is no place for a mount")
        closed.add(view.target)
    for place in [*(view.target for view in views), *(entry.path for entry in entries)]:
        blocked = next((str(parent) for parent in Path(place).parents if str(parent) in closed), None)
        if blocked is not None:
            raise SandboxError(f"{place!r} is no place for a mount: {blocked} is another one's")
    for view in views:
        if view.target in _OWN_DIRECTORIES:
            raise SandboxError(f"{view.target!r} is no place for a mount: it is the sandbox's own")
