"""What temporary keys can't ask for, whatever policies say: nobody has MFA here. Pure.

Docs: IAM user guide, "Compare AWS STS credentials"; STS API reference, GetSessionToken, GetFederationToken.
"""

from typing import Final

from lampion.aws.errors import AccessDeniedException, UnrecognizedClientException
from lampion.identity.callers import Caller, CallerKind

_OF_LENT_KEYS: Final = frozenset(("AssumeRole", "GetCallerIdentity"))
_OF_FEDERATED_USERS: Final = frozenset(("GetCallerIdentity",))


def check_admitted(service: str, operation: str, caller: Caller, *, has_session: bool) -> None:
    """IAM and STS for who has keys of GetSessionToken or GetFederationToken; sessions of roles may ask for all.

    Raises UnrecognizedClientException, AccessDeniedException, as AWS does.
    """
    if not has_session or caller.kind is CallerKind.ROLE_SESSION:
        return
    if service == "iam":
        raise UnrecognizedClientException("The security token included in the request is invalid.")
    allowed = _OF_FEDERATED_USERS if caller.kind is CallerKind.FEDERATED_USER else _OF_LENT_KEYS
    if service == "sts" and operation not in allowed:
        raise AccessDeniedException(f"Cannot call {operation} with session credentials")
