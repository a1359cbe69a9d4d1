"""What IAM and STS refuse to temporary keys, whatever policies say."""

import pytest

from lampion.aws.errors import AccessDeniedException, UnrecognizedClientException
from lampion.identity.callers import Caller, CallerKind
from lampion.identity.temporary_limits import check_admitted

ROLE, USER, ROOT, FEDERATED = (
    Caller(kind, "123456789012")
    for kind in (CallerKind.ROLE_SESSION, CallerKind.USER, CallerKind.ROOT, CallerKind.FEDERATED_USER)
)


@pytest.mark.parametrize(
    ("caller", "service", "operation"),
    [
        (ROLE, "iam", "ListUsers"),
        (ROLE, "sts", "GetAccessKeyInfo"),
        (USER, "sts", "AssumeRole"),
        (ROOT, "sts", "AssumeRole"),
        *((caller, "sts", "GetCallerIdentity") for caller in (USER, ROOT, FEDERATED)),
        *((caller, "lambda", "Invoke") for caller in (USER, ROOT, FEDERATED)),
    ],
)
def test_what_is_admitted(caller: Caller, service: str, operation: str) -> None:
    check_admitted(service, operation, caller, has_session=True)


@pytest.mark.parametrize("caller", [USER, ROOT, FEDERATED])
def test_iam_knows_none_of_those_keys(caller: Caller) -> None:
    with pytest.raises(UnrecognizedClientException):
        check_admitted("iam", "GetUser", caller, has_session=True)


@pytest.mark.parametrize(
    ("caller", "operation"),
    [
        (FEDERATED, "AssumeRole"),
        *((one, name) for one in (USER, ROOT, FEDERATED) for name in ("GetSessionToken", "GetFederationToken")),
        (USER, "GetAccessKeyInfo"),
    ],
)
def test_sts_refuses_them_all_but_little(caller: Caller, operation: str) -> None:
    with pytest.raises(AccessDeniedException, match=f"Cannot call {operation} with session credentials"):
        check_admitted("sts", operation, caller, has_session=True)


@pytest.mark.parametrize("caller", [USER, ROOT])
def test_long_term_keys_are_admitted_to_everything(caller: Caller) -> None:
    check_admitted("iam", "GetUser", caller, has_session=False)
    check_admitted("sts", "GetFederationToken", caller, has_session=False)
