"""Names, partial ARNs and ARNs: which function and version each means."""

import pytest

from lampion.aws.errors import AccessDeniedException
from lampion.aws.operation import RequestContext
from lampion.domain.arn import FunctionKey
from lampion.domain.errors import InvalidParameterValueException, ResourceNotFoundException
from lampion.invoke.qualifier import Target, check_unqualified, resolve

ACCOUNT, REGION = "123456789012", "us-east-1"
CALLER = RequestContext(account_id=ACCOUNT, region=REGION, principal="key", request_id="id")
KEY = FunctionKey(ACCOUNT, REGION, "my-fn")


@pytest.mark.parametrize(
    ("name", "qualifier", "expected"),
    [
        ("my-fn", None, Target(KEY, None)),
        ("my-fn", "1", Target(KEY, "1")),
        ("my-fn:live", None, Target(KEY, "live")),
        ("my-fn:$LATEST", "$LATEST", Target(KEY, "$LATEST")),
        ("function:my-fn", None, Target(KEY, None)),
        (f"{ACCOUNT}:function:my-fn", None, Target(KEY, None)),
        (f"{ACCOUNT}:function:my-fn:7", None, Target(KEY, "7")),
        (f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:my-fn", None, Target(KEY, None)),
        (f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:my-fn:7", None, Target(KEY, "7")),
        (f"arn:aws:lambda:{REGION}:{ACCOUNT}:function", None, Target(FunctionKey(ACCOUNT, REGION, "function"), None)),
    ],
)
def test_what_a_name_means(name: str, qualifier: str | None, expected: Target) -> None:
    assert resolve(name, qualifier, CALLER, "GetFunction") == expected


def test_another_regions_arn_is_not_reachable() -> None:
    with pytest.raises(ResourceNotFoundException) as caught:
        resolve(f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:my-fn", None, CALLER, "GetFunction")
    assert caught.value.message == "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"


def test_another_accounts_arn_needs_a_permission_that_nobody_gave() -> None:
    arn = f"arn:aws:lambda:{REGION}:999999999999:function:my-fn"
    with pytest.raises(AccessDeniedException) as caught:
        resolve(arn, "7", CALLER, "GetFunction")
    assert caught.value.message == (
        f"User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform: lambda:GetFunction on resource: {arn}:7 "
        "because no resource-based policy allows the lambda:GetFunction action"
    )


def test_two_qualifiers_must_agree() -> None:
    with pytest.raises(InvalidParameterValueException) as caught:
        resolve("my-fn:$LATEST", "1", CALLER, "GetFunction")
    assert caught.value.message == (
        "The derived qualifier from the function name does not match the specified qualifier."
    )


@pytest.mark.parametrize("qualifier", [None, "$LATEST"])
def test_what_is_done_to_functions_is_done_to_latest(qualifier: str | None) -> None:
    check_unqualified(Target(KEY, qualifier))


@pytest.mark.parametrize("qualifier", ["1", "live"])
def test_what_is_done_to_functions_is_not_done_to_versions(qualifier: str) -> None:
    with pytest.raises(InvalidParameterValueException) as caught:
        check_unqualified(Target(KEY, qualifier))
    assert caught.value.message == (
        "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
        "Please specify either a function name or an unqualified function ARN."
    )


@pytest.mark.parametrize("qualifier", [None, "$LATEST", "1"])
def test_the_arn_is_shown_as_the_caller_qualified_it(qualifier: str | None) -> None:
    suffix = "" if qualifier is None else f":{qualifier}"
    assert Target(KEY, qualifier).arn == f"arn:aws:lambda:us-east-1:123456789012:function:my-fn{suffix}"
