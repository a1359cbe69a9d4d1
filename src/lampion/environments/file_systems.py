"""A function's file system: from the access point that it names to the host directory that stands for it.

Knows no sandbox; what goes wrong is told as AWS tells it, and to this server's log as it is.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final, NoReturn

from lampion.clock.clock import Clock
from lampion.domain.file_system import AccessPoint, MountProblem, mount_error
from lampion.domain.function import Function
from lampion.sandbox.driver import DirectoryRefused
from lampion.sandbox.shared_directories import DirectoryUnreachable, Making, ensure_directory
from lampion.sandbox.spec import SharedDirectory

_MOUNT_SECONDS: Final = 10.0
"""The host directory may be of a file system that hangs, as one over a network can."""

_LOG = logging.getLogger(__name__)


class FileSystems:
    """The access points that this server has a directory for."""

    def __init__(self, access_points: Mapping[str, AccessPoint], clock: Clock) -> None:
        """`access_points` by ARN."""
        self._access_points = access_points
        self._clock = clock
        self._looking: dict[str, asyncio.Future[None]] = {}

    async def directory_of(self, function: Function) -> SharedDirectory | None:
        """What its sandboxes are to share; None for a function without a file system.

        Raises the mount errors of Lambda's Invoke.
        """
        for wanted in function.configuration.file_system_configs:  # there is one at most
            arn: str = wanted["Arn"]
            access_point = self._access_points.get(arn)
            if access_point is None:
                _fail(MountProblem.FAILURE, arn, "the configuration has no [file_systems] table of that name")
            await self._ensure(arn, access_point)
            return SharedDirectory(
                source=access_point.directory,
                beneath=access_point.beneath,
                target=wanted["LocalMountPath"],
                user_id=access_point.uid,
                group_id=access_point.gid,
            )
        return None

    def refused(self, function: Function, error: DirectoryRefused) -> NoReturn:
        """The sandbox couldn't have it. Raises the mount error."""
        _fail(MountProblem.FAILURE, function.configuration.file_system_configs[0]["Arn"], str(error))

    async def _ensure(self, arn: str, access_point: AccessPoint) -> None:
        """However many ask, one thread looks: should it hang, the others are left for other work."""
        looking = self._looking.get(arn)
        if looking is None:
            looking = asyncio.ensure_future(asyncio.to_thread(_look, access_point))
            self._looking[arn] = looking
            looking.add_done_callback(lambda done: self._looked(arn, done))
        try:
            async with self._clock.deadline(_MOUNT_SECONDS):
                await asyncio.shield(looking)
        except TimeoutError:
            _fail(MountProblem.TIMEOUT, arn, f"{access_point.directory} doesn't answer")
        except DirectoryUnreachable as error:
            _fail(MountProblem.CONNECTIVITY, arn, f"{access_point.directory}: {error.strerror}")
        except OSError as error:
            place = f"{access_point.root_directory} in {access_point.directory}"
            _fail(MountProblem.FAILURE, arn, f"{place}: {error.strerror}")

    def _looked(self, arn: str, done: asyncio.Future[None]) -> None:
        del self._looking[arn]
        if not done.cancelled():
            done.exception()  # those who asked may have given up waiting


def _look(access_point: AccessPoint) -> None:
    creation = access_point.creation
    making = None if creation is None else Making(creation.owner_uid, creation.owner_gid, creation.permissions)
    ensure_directory(access_point.directory, access_point.beneath, making)


def _fail(problem: MountProblem, arn: str, why: str) -> NoReturn:
    _LOG.warning("no file system at access point %s: %s", arn, why)
    raise mount_error(problem, arn)
