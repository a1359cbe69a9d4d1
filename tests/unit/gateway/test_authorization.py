"""Whom AWS would name, for what, and of which resource, when a role has no policy."""

from collections.abc import Mapping
from typing import Any, NoReturn

import pytest

from lampion.aws.errors import AccessDeniedException
from lampion.clock.rng import SeededRng
from lampion.gateway.authorization import Authorization, resource_of
from lampion.identity.session_keys import SessionKeys

SESSION = SessionKeys(SeededRng(1)).issue(
    account_id="123456789012", role="arn:aws:iam::123456789012:role/r", session_name="f"
)
PREFIX = "arn:aws:lambda:eu-west-1:123456789012"
FOREIGN = "arn:aws:lambda:us-east-1:210987654321:function:other"


@pytest.mark.parametrize(
    ("operation", "members", "resource"),
    [
        ("ListFunctions", {}, "*"),
        ("GetAccountSettings", {}, "*"),
        ("GetFunction", {"FunctionName": "f"}, f"{PREFIX}:function:f"),
        ("Invoke", {"FunctionName": "f", "Qualifier": "live"}, f"{PREFIX}:function:f:live"),
        ("Invoke", {"FunctionName": "f:7"}, f"{PREFIX}:function:f:7"),
        ("Invoke", {"FunctionName": FOREIGN}, FOREIGN),
        ("Invoke", {"FunctionName": "210987654321:function:other"}, f"{PREFIX[:-12]}210987654321:function:other"),
        ("Invoke", {"FunctionName": "not a name"}, "*"),
        ("CreateEventSourceMapping", {"FunctionName": "f"}, "*"),
        ("ListEventSourceMappings", {"FunctionName": "f"}, "*"),
        ("GetEventSourceMapping", {"UUID": "u"}, f"{PREFIX}:event-source-mapping:u"),
        ("PublishLayerVersion", {"LayerName": "l"}, f"{PREFIX}:layer:l"),
        ("ListTags", {"Resource": FOREIGN}, FOREIGN),
        ("PutResourcePolicy", {"ResourceArn": FOREIGN, "Policy": "{}"}, FOREIGN),
        ("GetCapacityProvider", {"CapacityProviderName": "c"}, f"{PREFIX}:capacity-provider:c"),
    ],
)
def test_the_resource_of_an_operation(operation: str, members: Mapping[str, Any], resource: str) -> None:
    assert resource_of(operation, members, "123456789012", "eu-west-1") == resource


@pytest.mark.parametrize(
    ("operation", "action"),
    [("Invoke", "InvokeFunction"), ("InvokeAsync", "InvokeFunction"), ("TagResource", "TagResource")],
)
def test_the_refusal_is_aws_sentence(operation: str, action: str) -> None:
    authorization = Authorization(functions_may_all=False, region="eu-west-1")
    with pytest.raises(AccessDeniedException) as caught:
        authorization.check(SESSION, operation, lambda: {"FunctionName": "g"})
    assert caught.value.message == (
        f"User: arn:aws:sts::123456789012:assumed-role/r/f is not authorized to perform: lambda:{action} "
        f"on resource: {PREFIX}:function:g because no identity-based policy allows the lambda:{action} action"
    )


def test_who_may_do_everything_is_not_asked_what_it_is() -> None:
    def unread() -> NoReturn:
        raise AssertionError("the members were read")

    Authorization(functions_may_all=True, region="eu-west-1").check(SESSION, "Invoke", unread)
