"""Which directory of this machine is which file system: tables `[file_systems."ARN"]` of the configuration file.

Their members are named as those of EFS access points are.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lampion.config.problem import SettingError
from lampion.domain.file_system import AccessPoint, CreationInfo

_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:(elasticfilesystem:[a-z0-9-]+:\d{12}:access-point/fsap-[0-9a-f]{17}"
    r"|s3files:[a-z0-9-]+:\d{12}:file-system/fs-[0-9a-f]{17,40}/access-point/fsap-[0-9a-f]{17,40})"
)
_MEMBERS: Final = ("directory", "root_directory", "uid", "gid", "creation")
_CREATION_MEMBERS: Final = ("owner_uid", "owner_gid", "permissions")
_PERMISSIONS: Final = re.compile(r"[0-7]{3,4}")
_MOST_ID: Final = 4_294_967_294


def access_points_from(tables: Mapping[str, Any]) -> Mapping[str, AccessPoint]:
    """The access points by ARN. Raises SettingError."""
    return {arn: _access_point(arn, table) for arn, table in tables.items()}


def _access_point(arn: str, table: Any) -> AccessPoint:
    where = f'[file_systems."{arn}"]'
    if _ARN.fullmatch(arn) is None:
        raise SettingError(
            where,
            arn,
            "is no ARN of an access point",
            "Write it in quotes, as a function's FileSystemConfigs does: "
            '[file_systems."arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0"].',
        )
    _check_members(where, table, _MEMBERS, needed=("directory", "uid", "gid"))
    return AccessPoint(
        directory=_directory(where, table["directory"]),
        uid=_user(where, "uid", table["uid"]),
        gid=_user(where, "gid", table["gid"]),
        root_directory=_root_directory(where, table.get("root_directory", "/")),
        creation=_creation(where, table["creation"]) if "creation" in table else None,
    )


def _check_members(where: str, table: Any, known: tuple[str, ...], needed: tuple[str, ...]) -> None:
    if not isinstance(table, dict):
        raise SettingError(where, str(table), "is no table", f"Give it {', '.join(needed)}.")
    for member in table:
        if member not in known:
            raise SettingError(where, member, "is not known there", f"Use some of: {', '.join(known)}.")
    for member in needed:
        if member not in table:
            raise SettingError(where, member, "is missing", f"Give it {', '.join(needed)}.")


def _directory(where: str, value: Any) -> Path:
    if not isinstance(value, str) or not value.startswith("/") or ".." in Path(value).parts or "\0" in value:
        raise SettingError(where, str(value), "is no directory", 'Give an absolute path: directory = "/srv/files".')
    return Path(value)


def _root_directory(where: str, value: Any) -> str:
    if not isinstance(value, str) or not value.startswith("/") or "\0" in value:
        raise SettingError(where, str(value), "is no root directory", 'Give a path such as root_directory = "/app".')
    parts = Path(value).parts[1:]
    if ".." in parts:
        raise SettingError(where, value, "leads out of the file system", "Give a path without '..'.")
    return "/" + "/".join(parts)


def _user(where: str, member: str, value: Any) -> int:
    number = _id(where, member, value)
    if number == 0:
        raise SettingError(
            where,
            f"{member} = 0",
            "would let functions write as root on this machine",
            f"Give another {member}, and the directory to that one.",
        )
    return number


def _id(where: str, member: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST_ID:
        raise SettingError(where, f"{member} = {value!r}", "is no id", f"Give a whole number: {member} = 1001.")
    return value


def _creation(where: str, table: Any) -> CreationInfo:
    _check_members(where, table, _CREATION_MEMBERS, needed=_CREATION_MEMBERS)
    permissions = table["permissions"]
    if not isinstance(permissions, str) or _PERMISSIONS.fullmatch(permissions) is None:
        raise SettingError(where, f"permissions = {permissions!r}", "is no mode", 'Write permissions = "0750".')
    owner_uid, owner_gid = (_id(where, member, table[member]) for member in _CREATION_MEMBERS[:2])
    return CreationInfo(owner_uid, owner_gid, int(permissions, 8) & 0o1777)
