"""STS with AWS's own client: who one is, as an account and as a function, and refusals in its protocol's form."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.deployment import Functions
from tests.live_server import LiveServer

TELLS_ITS_KEY = """
import os

def handler(event, context):
    return [os.environ[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")]
"""


@pytest.fixture
def sts_at() -> Iterator[Callable[..., Any]]:
    """`sts_at(server, access_key_id, secret, token, region=...)`: a client, by default with the root's key."""
    made: list[Any] = []

    def make(server: LiveServer, *keys: str, region: str = "us-east-1") -> Any:
        id_and_secret = keys or (server.server.access_key_id, server.server.secret_access_key)
        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        client = boto3.session.Session().client(
            "sts",
            endpoint_url=server.url,
            region_name=region,
            config=Config(retries={"total_max_attempts": 1}),
            **dict(zip(names, id_and_secret, strict=False)),
        )
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def sts(live_server: LiveServer, sts_at: Callable[..., Any]) -> Any:
    return sts_at(live_server)


def refused(call: Callable[..., Any], **arguments: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as raised:
        call(**arguments)
    answer = raised.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def told(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: answer[name] for name in ("UserId", "Account", "Arn")}


def test_an_accounts_key_is_its_root(sts: Any) -> None:
    expected = {"UserId": "123456789012", "Account": "123456789012", "Arn": "arn:aws:iam::123456789012:root"}
    assert told(sts.get_caller_identity()) == expected


def test_a_functions_key_is_a_session_of_its_role(
    live_server: LiveServer, lambda_client: Any, make_function: Functions, sts_at: Callable[..., Any]
) -> None:
    name = make_function(TELLS_ITS_KEY)
    keys = json.loads(lambda_client.invoke(FunctionName=name)["Payload"].read())
    sts = sts_at(live_server, *keys)
    identity = told(sts.get_caller_identity())
    assert identity["Account"] == "123456789012"
    assert identity["Arn"] == f"arn:aws:sts::123456789012:assumed-role/lambda-role/{name}"
    role_id, _, session = identity["UserId"].partition(":")
    assert (role_id[:4], len(role_id), session) == ("AROA", 21, name)
    status, code, message = refused(sts.get_federation_token, Name="who")
    assert (status, code) == (403, "AccessDenied")
    assert message.startswith(
        f"User: {identity['Arn']} is not authorized to perform: sts:GetFederationToken on resource: "
        "arn:aws:sts::123456789012:federated-user/who"
    )


def test_temporary_keys_are_the_accounts_own(live_server: LiveServer, sts: Any, sts_at: Callable[..., Any]) -> None:
    keys = sts.get_session_token()["Credentials"]
    lent = sts_at(live_server, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    assert told(lent.get_caller_identity()) == told(sts.get_caller_identity())
    assert sts.get_access_key_info(AccessKeyId=keys["AccessKeyId"])["Account"] == "123456789012"
    told_there = "Cannot call GetSessionToken with session credentials"
    assert refused(lent.get_session_token) == (403, "AccessDenied", told_there)
    without_token = sts_at(live_server, keys["AccessKeyId"], keys["SecretAccessKey"])
    assert refused(without_token.get_caller_identity)[1] == "InvalidClientTokenId"


def test_a_presigned_request_proves_who_made_it(sts: Any) -> None:
    """As others let one log in by it."""
    url = sts.generate_presigned_url("get_caller_identity", HttpMethod="GET")
    with urllib.request.urlopen(url) as answer:
        assert b"<Arn>arn:aws:iam::123456789012:root</Arn>" in answer.read()
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(url.replace("GetCallerIdentity", "GetSessionToken"))
    assert raised.value.code == 403
    assert b"<Code>SignatureDoesNotMatch</Code>" in raised.value.read()


def test_clients_of_the_old_global_endpoint_are_served_and_those_of_other_regions_are_not(
    start_server: Callable[..., LiveServer], sts_at: Callable[..., Any]
) -> None:
    server = start_server("--region", "eu-central-1")
    for region in ("eu-central-1", "us-east-1"):
        assert sts_at(server, region=region).get_caller_identity()["Account"] == "123456789012"
    told_there = "Credential should be scoped to a valid region."
    assert refused(sts_at(server, region="eu-west-3").get_caller_identity) == (403, "SignatureDoesNotMatch", told_there)


def test_what_is_wrong_is_refused_in_the_form_of_the_protocol(
    live_server: LiveServer, sts: Any, sts_at: Callable[..., Any]
) -> None:
    key_id = live_server.server.access_key_id
    wrong_secret = sts_at(live_server, key_id, "x" * 40)
    assert refused(wrong_secret.get_caller_identity)[:2] == (403, "SignatureDoesNotMatch")
    nobody = sts_at(live_server, "AKIAIOSFODNN7EXAMPLE", "x" * 40)
    unknown = (403, "InvalidClientTokenId", "The security token included in the request is invalid.")
    assert refused(nobody.get_caller_identity) == unknown
    status, _, message = refused(sts.decode_authorization_message, EncodedMessage="who")
    assert (status, "DecodeAuthorizationMessage" in message) == (501, True)


def test_an_action_that_isnt_there_is_no_action(sts: Any) -> None:
    def renamed(params: dict[str, Any], **_: Any) -> None:
        params["body"]["Action"] = "GetCallerIdentities"

    sts.meta.events.register("before-call.sts.GetCallerIdentity", renamed)
    told_there = "Could not find operation GetCallerIdentities for version 2011-06-15"
    assert refused(sts.get_caller_identity) == (400, "InvalidAction", told_there)


def test_an_open_server_takes_any_signature(
    start_server: Callable[..., LiveServer], sts_at: Callable[..., Any]
) -> None:
    server = start_server("--auth", "open")
    assert sts_at(server, "210987654321", "x").get_caller_identity()["Arn"] == "arn:aws:iam::210987654321:root"


@pytest.mark.parametrize(
    ("service", "operation", "status", "code"),
    [
        ("sts", "get_caller_identity", 403, "MissingAuthenticationToken"),
        ("iam", "list_users", 403, "MissingAuthenticationToken"),
        ("kms", "list_keys", 400, "MissingAuthenticationTokenException"),
        ("ecr", "describe_repositories", 400, "MissingAuthenticationTokenException"),
        ("lambda", "list_functions", 403, "MissingAuthenticationTokenException"),
    ],
)
def test_what_is_unsigned_is_refused_in_the_form_of_its_service(
    live_server: LiveServer, service: str, operation: str, status: int, code: str
) -> None:
    config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
    client = boto3.client(service, endpoint_url=live_server.url, region_name="us-east-1", config=config)
    assert refused(getattr(client, operation))[:2] == (status, code)
    client.close()
