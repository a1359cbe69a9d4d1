"""How every sandbox begins: the launcher is handed its description, with user ids and cgroups that are nobody else's.

Knows nothing of event loops.
"""

import os
import socket
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Final

from lampion.sandbox.cgroup_host import CgroupHost, owner_name, probe_cgroups, remove_owner
from lampion.sandbox.cgroups import CgroupPlan, Layout, limit_settings, plan_cgroups
from lampion.sandbox.disks import Disks
from lampion.sandbox.driver import SandboxError
from lampion.sandbox.host_view import Entry, host_entries, mount_entries, place_entries, root_entries
from lampion.sandbox.launcher.build import ensure_launcher
from lampion.sandbox.launcher.daemon import Launched, LauncherDaemon
from lampion.sandbox.launcher.description import Identity, Worker, describe_copy, describe_prepared
from lampion.sandbox.own_namespace import OwnNamespace
from lampion.sandbox.server_seat import leave_seat
from lampion.sandbox.spec import Limits, Mount
from lampion.sandbox.user_ids import HOST_IDS, UserIds

_THE_SERVER: Final = Identity(0)
"""In the launcher's own user namespace, which it has unless it is root."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """A sandbox that is being made."""

    launched: Launched
    plan: CgroupPlan
    identity: Identity


class Beginnings:
    """The launcher program of this server, and what it takes from the machine for sandboxes."""

    def __init__(self, cgroup_parent: str, scratch: Path | None = None) -> None:
        self._parent = cgroup_parent
        self._owner = owner_name()
        self._namespace = None if os.geteuid() == 0 else OwnNamespace.of_this_user()
        space = HOST_IDS if self._namespace is None else self._namespace.ids
        self._user_ids = None if space is None else UserIds(space)
        self.has_user_namespaces = self._namespace is not None or may_have_user_namespaces()
        self._names = count(1)
        self._daemon: LauncherDaemon | None = None
        self._cgroups: CgroupHost | None = None
        self._host_entries = host_entries()
        self.disks = Disks(scratch if self._namespace is None else None)

    @property
    def has_own_ids(self) -> bool:
        """Whether a function's user is another one than the server's."""
        return self._user_ids is not None

    @property
    def is_root(self) -> bool:
        """Whether the server is, and may act as anybody."""
        return self._namespace is None

    @property
    def layout(self) -> Layout:
        """The cgroups that this machine lets us use; looked for once."""
        if self._cgroups is None:
            self._cgroups = probe_cgroups(self._parent)
        return self._cgroups.layout

    def begin(
        self,
        mounts: tuple[Mount, ...],
        limits: Limits,
        worker: Worker | None = None,
        zygote: socket.socket | None = None,
        *,
        as_server: bool = False,
        root: Path | None = None,
    ) -> Beginning:
        """Have a sandbox prepared, on `root` in place of the host. Raises SandboxError; then nothing is left.

        `as_server`: its function is to be the user that the server is, who isn't root.
        """
        plan = plan_cgroups(self.layout, self._parent, self._owner, str(next(self._names)))
        identity = _THE_SERVER if as_server else self._take_identity()
        try:
            entries = self.entries(identity, mounts) if root is None else entries_of_root(root)
            description = describe_prepared(
                identity=identity,
                entries=entries,
                cgroups=plan,
                limits=limits,
                worker=worker,
                disk=self.disks.ready(limits.tmp_mib),
            )
            return Beginning(self.launch(description, None if worker is None else worker.zygote), plan, identity)
        except BaseException:
            self.give_back(identity)
            raise

    def begin_origin(self, limits: Limits) -> Beginning:
        """As `begin`, for a sandbox that a snapshot is to be taken of: it has no user namespace, its copies have.

        Its user's name counts for the ids that copies have, too.
        """
        plan = plan_cgroups(self.layout, self._parent, self._owner, str(next(self._names)))
        identity = replace(self._take_identity(), keeper_id=None, has_user_namespace=False)
        try:
            copied = Identity(identity.user_id)
            place = place_entries(
                identity.user_inside, identity.group_inside, (copied.user_inside, copied.group_inside)
            )
            description = describe_prepared(
                identity=identity,
                entries=(*self._host_entries, *place),
                cgroups=plan,
                limits=limits,
                is_origin=True,
                disk=self.disks.ready(limits.tmp_mib),
            )
            return Beginning(self.launch(description), plan, identity)
        except BaseException:
            self.give_back(identity)
            raise

    def begin_copy(self, origin: Identity, requests: socket.socket, limits: Limits) -> Beginning:
        """A copy of the snapshot that takes `requests`. Raises SandboxError; then nothing is left."""
        plan = plan_cgroups(self.layout, self._parent, self._owner, str(next(self._names)))
        identity = replace(self._take_identity(), keeper_id=origin.user_id)
        try:
            settings = limit_settings(self.layout, plan, limits)
            description = describe_copy(
                identity=identity,
                cgroups=plan,
                limits=limits,
                settings=settings,
                disk=self.disks.ready(limits.tmp_mib),
            )
            return Beginning(self.launch(description, requests), plan, identity)
        except BaseException:
            self.give_back(identity)
            raise

    def entries(self, identity: Identity, mounts: tuple[Mount, ...]) -> tuple[Entry, ...]:
        """The file system of a sandbox before it is a function's."""
        place = place_entries(identity.user_inside, identity.group_inside)
        return (*self._host_entries, *place, *mount_entries(mounts))

    def launch(self, description: bytes, zygote: socket.socket | None = None) -> Launched:
        """Hand a description to the launcher program, which is started when it isn't running. Raises SandboxError."""
        if self._daemon is not None and not self._daemon.is_alive():
            self._daemon.close()
            self._daemon = None
        if self._daemon is None:
            map_ids = None if self._namespace is None else self._namespace.map
            self._daemon = LauncherDaemon.start(ensure_launcher(), map_ids)
            leave_seat(self.layout, self._daemon.pid)
        return self._daemon.launch(description, zygote)

    def give_back(self, identity: Identity) -> None:
        """The sandbox has gone."""
        if self._user_ids is not None and identity != _THE_SERVER:
            self._user_ids.give_back(identity.user_id)

    def close(self) -> None:
        """When all sandboxes have gone."""
        if self._daemon is not None:
            self._daemon.close()
            self._daemon = None
        self.disks.close()
        if self._user_ids is not None:
            self._user_ids.close()
        if self._cgroups is not None:
            remove_owner(self._cgroups.layout, self._parent, self._owner)
            self._cgroups.close()
            self._cgroups = None

    def _take_identity(self) -> Identity:
        if self._user_ids is None:
            return _THE_SERVER
        user_id = self._user_ids.take()
        return Identity(user_id, user_id + 1, self.has_user_namespaces)


def entries_of_root(root: Path) -> tuple[Entry, ...]:
    """Raises SandboxError."""
    try:
        return root_entries(root)
    except OSError as error:
        raise SandboxError(f"the root directory {root} can't be read: {error.strerror}") from error


def may_have_user_namespaces() -> bool:
    """Whether this machine allows any."""
    try:
        return int(Path("/proc/sys/user/max_user_namespaces").read_text()) > 0
    except (OSError, ValueError):
        return False
