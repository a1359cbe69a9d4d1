"""Where the keys that requests are signed with are looked for, and who has them."""

from dataclasses import dataclass

from lampion.identity.access_keys import AccessKeyring
from lampion.identity.directory import Directory
from lampion.identity.session_keys import SessionKeys
from lampion.identity.temporary_keys import TemporaryKeys
from lampion.identity.user_keys import UserKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Of accounts' roots, of users, of functions' sessions, and those that STS gave out."""

    roots: AccessKeyring
    users: UserKeys
    sessions: SessionKeys
    temporary: TemporaryKeys
    directory: Directory
