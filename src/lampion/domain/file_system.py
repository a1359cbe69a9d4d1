"""Access points to file systems: what stands for one here, and how AWS says that it can't be mounted. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from lampion.domain.errors import (
    ApiError,
    EFSIOException,
    EFSMountConnectivityException,
    EFSMountFailureException,
    EFSMountTimeoutException,
    S3FilesMountConnectivityException,
    S3FilesMountFailureException,
    S3FilesMountTimeoutException,
)

S3_FILES: Final = "s3files"


@dataclass(frozen=True, slots=True)
class CreationInfo:
    """Whose the root directory becomes when it has to be made (EFS: CreationInfo)."""

    owner_uid: int
    owner_gid: int
    permissions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPoint:
    """The host's `directory` is the file system; functions see what is below `root_directory` of it, as a user of it.

    EFS: PosixUser, RootDirectory. Without `creation`, a root directory that isn't there can't be mounted.
    """

    directory: Path
    uid: int
    gid: int
    root_directory: str = "/"
    creation: CreationInfo | None = None

    @property
    def beneath(self) -> str:
        """The root directory relative to the file system; empty for all of it."""
        return self.root_directory.strip("/")


class MountProblem(Enum):
    """Why a file system isn't mounted, as far as AWS tells them apart."""

    FAILURE = "failure"
    CONNECTIVITY = "connectivity"
    TIMEOUT = "timeout"


# Of EFS, the texts of the developer guide ("Troubleshoot invocation issues"); those of S3 Files are their likeness.
_ERRORS: Final[Mapping[MountProblem, tuple[type[ApiError], type[ApiError], str]]] = {
    MountProblem.FAILURE: (
        EFSMountFailureException,
        S3FilesMountFailureException,
        "The function could not mount the {kind} file system with access point {arn}.",
    ),
    MountProblem.CONNECTIVITY: (
        EFSMountConnectivityException,
        S3FilesMountConnectivityException,
        "The function couldn't connect to the Amazon {kind} file system with access point {arn}. "
        "Check your network configuration and try again.",
    ),
    MountProblem.TIMEOUT: (
        EFSMountTimeoutException,
        S3FilesMountTimeoutException,
        "The function could not mount the {kind} file system with access point {arn} due to mount time out.",
    ),
}


def io_error() -> ApiError:
    """What an invocation is answered whose time passed and which couldn't be ended; of S3 Files, too.

    Developer guide, "Troubleshoot invocation issues".
    """
    return EFSIOException(
        "This function instance was stopped because Lambda detected an IO process that was taking too long."
    )


def mount_error(problem: MountProblem, arn: str) -> ApiError:
    """What an invocation is answered whose function has no file system."""
    of_efs, of_s3_files, text = _ERRORS[problem]
    if arn.split(":")[2] == S3_FILES:
        return of_s3_files(text.format(kind="S3 Files", arn=arn))
    return of_efs(text.format(kind="EFS", arn=arn))
