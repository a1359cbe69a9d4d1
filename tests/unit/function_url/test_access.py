"""Who may invoke a function by its URL."""

from typing import Any

import pytest

from lampion.domain.arn import FunctionKey
from lampion.domain.function_url import FunctionUrlConfig
from lampion.function_url.access import is_allowed
from lampion.http.message import RequestHead
from lampion.identity.actors import ANYBODY, Actor
from lampion.identity.directory import Directory
from lampion.identity.request_facts import Asking
from lampion.identity.statements import read_policy
from tests.identities import Session, resources_in_memory

OWNER, STRANGER = "123456789012", "210987654321"
KEY = FunctionKey(OWNER, "us-east-1", "f")
ROLE = f"arn:aws:iam::{OWNER}:role/path/worker"
NOW = 1783711146.0


def config(auth_type: str, alias: str | None = None) -> FunctionUrlConfig:
    return FunctionUrlConfig(
        key=KEY, alias=alias, url_id="x", auth_type=auth_type, created_epoch_us=1, last_modified_epoch_us=1
    )


def statement(action: str, principal: Any = "*", arn: str = KEY.arn, effect: str = "Allow", **condition: Any) -> Any:
    tests = {"Condition": condition} if condition else {}
    return {"Effect": effect, "Principal": principal, "Action": action, "Resource": arn, **tests}


def url_permission(principal: Any = "*", auth_type: str = "NONE", arn: str = KEY.arn) -> Any:
    return statement("lambda:InvokeFunctionUrl", principal, arn, StringEquals={"lambda:FunctionUrlAuthType": auth_type})


def function_permission(principal: Any = "*", arn: str = KEY.arn) -> Any:
    return statement("lambda:InvokeFunction", principal, arn, Bool={"lambda:InvokedViaFunctionUrl": "true"})


def both(principal: Any = "*", auth_type: str = "NONE", arn: str = KEY.arn) -> list[Any]:
    return [url_permission(principal, auth_type, arn), function_permission(principal, arn)]


def account(account_id: str) -> Actor:
    return Directory(resources_in_memory()).root(account_id)


def session(account_id: str = OWNER, *, may_all: bool = False) -> Actor:
    arn = f"arn:aws:sts::{account_id}:assumed-role/worker/s"
    return Session(arn, ROLE.replace(OWNER, account_id), may_all).actor


def allowed(of: FunctionUrlConfig, actor: Actor, *statements: Any, client: str = "192.0.2.1") -> bool:
    head = RequestHead(method="GET", path="/", query="", headers={"user-agent": "curl"}, content_length=0)
    head.client = client
    asking = Asking(head, now_epoch_seconds=NOW, scheme="http", region="us-east-1")
    return is_allowed(of, [read_policy({"Statement": list(statements)})], actor, asking)


def test_a_public_url_needs_both_permissions() -> None:
    url = config("NONE")
    assert allowed(url, ANYBODY, *both())
    assert not allowed(url, ANYBODY)
    assert not allowed(url, ANYBODY, url_permission())
    assert not allowed(url, ANYBODY, function_permission())


def test_a_permission_for_the_other_authentication_is_none() -> None:
    assert not allowed(config("NONE"), ANYBODY, *both(auth_type="AWS_IAM"))
    assert not allowed(config("AWS_IAM"), account(STRANGER), *both(STRANGER, auth_type="NONE"))


def test_a_plain_permission_to_invoke_covers_invoking_by_url() -> None:
    assert allowed(config("NONE"), ANYBODY, url_permission(), statement("lambda:InvokeFunction"))
    assert allowed(config("NONE"), ANYBODY, statement("lambda:*"))
    direct_only = statement("lambda:InvokeFunction", Bool={"lambda:InvokedViaFunctionUrl": "false"})
    assert not allowed(config("NONE"), ANYBODY, url_permission(), direct_only)


@pytest.mark.parametrize(
    "principal", [{"AWS": STRANGER}, {"AWS": f"arn:aws:iam::{STRANGER}:root"}, {"Service": "s3.amazonaws.com"}]
)
def test_somebody_in_particular_is_not_everybody(principal: Any) -> None:
    assert not allowed(config("NONE"), ANYBODY, *both(principal))
    assert allowed(config("NONE"), ANYBODY, *both({"AWS": "*"}))


def test_a_denial_outweighs() -> None:
    denial = statement("lambda:InvokeFunctionUrl", effect="Deny", IpAddress={"aws:SourceIp": "192.0.2.0/24"})
    assert not allowed(config("NONE"), ANYBODY, *both(), denial)
    assert allowed(config("NONE"), ANYBODY, *both(), denial, client="198.51.100.1")
    to_owner = statement("lambda:InvokeFunction", {"AWS": OWNER}, effect="Deny")
    assert not allowed(config("AWS_IAM"), account(OWNER), to_owner)
    assert not allowed(config("AWS_IAM"), session(may_all=True), to_owner)


def test_the_alias_has_permissions_of_its_own() -> None:
    live = f"{KEY.arn}:live"
    assert allowed(config("NONE", "live"), ANYBODY, *both(arn=live))
    assert not allowed(config("NONE", "live"), ANYBODY, *both())
    assert not allowed(config("NONE"), ANYBODY, *both(arn=live))
    assert allowed(config("NONE", "live"), ANYBODY, *both(arn=f"{KEY.arn}:*"))


def test_the_owner_needs_no_permission_and_a_stranger_both() -> None:
    url = config("AWS_IAM")
    assert allowed(url, account(OWNER))
    assert not allowed(url, account(STRANGER))
    assert allowed(url, account(STRANGER), *both(STRANGER and {"AWS": f"arn:aws:iam::{STRANGER}:root"}, "AWS_IAM"))
    assert allowed(url, account(STRANGER), *both("*", "AWS_IAM"))
    assert not allowed(url, account(STRANGER), url_permission({"AWS": STRANGER}, "AWS_IAM"))
    assert not allowed(url, account("111111111111"), *both({"AWS": STRANGER}, "AWS_IAM"))


def test_a_function_s_session_needs_its_account_s_word_or_one_to_itself() -> None:
    url = config("AWS_IAM")
    assert not allowed(url, session())
    assert allowed(url, session(may_all=True))
    assert not allowed(url, session(), *both({"AWS": OWNER}, "AWS_IAM"))  # leaves it to the account, which says nothing
    for own in (ROLE, f"arn:aws:sts::{OWNER}:assumed-role/worker/s", "*"):
        assert allowed(url, session(), *both({"AWS": own}, "AWS_IAM"))
    assert not allowed(url, session(STRANGER), *both({"AWS": STRANGER}, "AWS_IAM"))
    assert allowed(url, session(STRANGER, may_all=True), *both({"AWS": STRANGER}, "AWS_IAM"))


def test_conditions_know_the_request() -> None:
    principal = {"AWS": "*"}

    def holds(actor: Actor, **condition: Any) -> bool:
        return allowed(config("AWS_IAM"), actor, statement("lambda:*", principal, **condition))

    assert holds(account(STRANGER), StringEquals={"aws:PrincipalAccount": STRANGER})
    assert not holds(account(STRANGER), StringEquals={"aws:PrincipalOrgID": "o-1"})
    assert holds(account(STRANGER), ArnLike={"aws:PrincipalArn": f"arn:aws:iam::{STRANGER}:*"})
    assert holds(session(), ArnEquals={"aws:PrincipalArn": ROLE})
    assert holds(account(STRANGER), StringEquals={"aws:UserAgent": "curl", "aws:RequestedRegion": "us-east-1"})
    assert holds(account(STRANGER), Bool={"aws:SecureTransport": "false"})
    assert holds(account(STRANGER), DateLessThan={"aws:CurrentTime": "2026-07-11T00:00:00Z"})
    assert not holds(account(STRANGER), DateGreaterThan={"aws:EpochTime": NOW + 1})
    assert not holds(account(STRANGER), Null={"aws:Referer": "false"})
