"""Where the keys that requests are signed with are looked for, and who has them."""

from dataclasses import dataclass

from lampion.identity.access_keys import AccessKeyring
from lampion.identity.call_record import CallRecord
from lampion.identity.directory import Directory
from lampion.identity.function_sessions import FunctionSessions
from lampion.identity.service_keys import ServiceKeys
from lampion.identity.session_keys import SessionKeys
from lampion.identity.temporary_callers import TemporaryCallers
from lampion.identity.temporary_keys import TemporaryKeys
from lampion.identity.user_keys import UserKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Of roots, of users, of services, of functions, and those that STS gave out; `record` keeps what roles called."""

    roots: AccessKeyring
    users: UserKeys
    services: ServiceKeys
    sessions: SessionKeys
    functions: FunctionSessions
    temporary: TemporaryKeys
    lent: TemporaryCallers
    directory: Directory
    record: CallRecord
