"""What `lampion doctor` says of the directories that are functions' file systems."""

import os
from collections.abc import Iterator, Mapping

from lampion.domain.file_system import AccessPoint
from lampion.sandbox.driver import Finding


def file_system_findings(access_points: Mapping[str, AccessPoint], driver: str) -> Iterator[Finding]:
    """One for each that a server of this user couldn't mount, with the sandboxes that it would make."""
    if access_points and driver != "namespace":
        yield Finding(
            "file-systems",
            f"functions with a file system can't be invoked: the sandbox driver {driver} gives them none",
            "lampion serve --sandbox namespace",
        )
    for arn, access_point in access_points.items():
        name = f"file-system-{arn.rpartition('/')[2]}"
        own, wanted = (os.geteuid(), os.getegid()), (access_point.uid, access_point.gid)
        if own[0] != 0 and own != wanted:
            yield Finding(
                name,
                "only a server that is root can let functions act as user {} and group {}".format(*wanted),
                "start the server as root, or set uid = {} and gid = {} in the configuration file".format(*own),
            )
        if not access_point.directory.is_dir():
            yield Finding(
                name,
                f"its functions can't be invoked: there is no directory {access_point.directory}",
                "install -d -o {} -g {} {}".format(*wanted, access_point.directory),
            )
