"""Another program calls functions as a service of AWS, with a key of `lampion iam service-key`."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from lampion.aws.sigv4_sign import Signer
from lampion.cli.failure import ExitCode
from tests.conformance.accounts import account
from tests.conformance.refusals import refusal
from tests.conformance.service_caller import SECONDS, ServiceCaller, asked, denied, lampion
from tests.deployment import Functions, arn_of, creation, role_in, wait_active
from tests.live_server import LiveServer

ACCOUNT, OTHER = "123456789012", "111122223333"
BUCKET = "arn:aws:s3:::my-bucket"
ECHO = "def handler(event, context):\n    return event\n"


@pytest.fixture
def s3(live_server: LiveServer) -> Iterator[ServiceCaller]:
    caller = ServiceCaller(live_server)
    yield caller
    caller.remove()


def test_a_service_invokes_what_the_functions_policy_lets_it_and_for_that_source(
    s3: ServiceCaller, make_function: Functions, lambda_client: Any
) -> None:
    name, neighbour = make_function(ECHO), make_function(ECHO)
    told = denied("s3.amazonaws.com", "lambda:InvokeFunction", arn_of(name))
    assert s3.invoke(name, BUCKET, ACCOUNT) == told
    lambda_client.add_permission(
        FunctionName=name,
        StatementId="s3",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn=BUCKET,
        SourceAccount=ACCOUNT,
    )
    assert s3.invoke(name, BUCKET, ACCOUNT) == [7]
    assert s3.invoke(name, BUCKET, ACCOUNT) == [7]
    for source, source_account in ((f"{BUCKET}-2", ACCOUNT), (BUCKET, OTHER), ("", ACCOUNT), (BUCKET, ""), ("", "")):
        assert s3.invoke(name, source, source_account) == told
    assert s3.invoke(neighbour, BUCKET, ACCOUNT) == denied(
        "s3.amazonaws.com", "lambda:InvokeFunction", arn_of(neighbour)
    )
    lambda_client.remove_permission(FunctionName=name, StatementId="s3")
    assert s3.invoke(name, BUCKET, ACCOUNT) == told


def test_a_version_or_alias_is_invoked_as_its_own_policy_says(
    s3: ServiceCaller, make_function: Functions, lambda_client: Any
) -> None:
    name = make_function(ECHO)
    lambda_client.publish_version(FunctionName=name)
    lambda_client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    permission = {"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com", "SourceArn": BUCKET}
    lambda_client.add_permission(FunctionName=name, Qualifier="live", StatementId="s", **permission)
    assert s3.invoke(name, BUCKET, Qualifier="live") == [7]
    for qualifier in ({}, {"Qualifier": "1"}):
        assert s3.invoke(name, BUCKET, **qualifier)[:2] == (403, "AccessDeniedException")


def test_another_service_isnt_meant(live_server: LiveServer, make_function: Functions, lambda_client: Any) -> None:
    name = make_function(ECHO)
    permission = {"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    lambda_client.add_permission(FunctionName=name, StatementId="s", **permission)
    caller = ServiceCaller(live_server, "events.amazonaws.com")
    assert caller.invoke(name) == denied("events.amazonaws.com", "lambda:InvokeFunction", arn_of(name))
    caller.remove()


def test_policies_know_that_a_service_calls(s3: ServiceCaller, make_function: Functions, lambda_client: Any) -> None:
    name = make_function(ECHO)

    def only_if(**condition: Any) -> Any:
        statement = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "lambda:InvokeFunction",
            "Resource": arn_of(name),
            "Condition": condition,
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        lambda_client.put_resource_policy(ResourceArn=arn_of(name), Policy=document)
        return s3.invoke(name)

    is_service = {"Bool": {"aws:PrincipalIsAWSService": "true"}}
    assert only_if(**is_service) == [7]
    assert only_if(Bool={"aws:PrincipalIsAWSService": "false"})[0] == 403
    named = {"StringEquals": {"aws:PrincipalServiceName": "s3.amazonaws.com"}}
    assert only_if(**named) == [7]
    assert only_if(StringEquals={"aws:PrincipalServiceName": "sns.amazonaws.com"})[0] == 403
    assert only_if(Null={"aws:PrincipalAccount": "true", "aws:PrincipalArn": "true"}) == [7]


def test_nobody_else_is_believed_for_what_he_asks(
    live_server: LiveServer, make_function: Functions, lambda_client: Any
) -> None:
    """The root, too, may only without the source that it claims."""
    name = make_function(ECHO)
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "lambda:InvokeFunction",
        "Resource": arn_of(name),
        "Condition": {"ArnNotLike": {"aws:SourceArn": BUCKET}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    lambda_client.put_resource_policy(ResourceArn=arn_of(name), Policy=document)
    server = live_server.server
    root = ServiceCaller(
        live_server, key={"AccessKeyId": server.access_key_id, "SecretAccessKey": server.secret_access_key}
    )
    assert root.invoke(name, BUCKET)[2].endswith("with an explicit deny in a resource-based policy")


def test_the_source_must_be_signed(
    live_server: LiveServer, s3: ServiceCaller, make_function: Functions, lambda_client: Any
) -> None:
    name = make_function(ECHO)
    permission = {"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com", "SourceArn": BUCKET}
    lambda_client.add_permission(FunctionName=name, StatementId="s", **permission)
    path = f"/2015-03-31/functions/{name}/invocations"
    signer = Signer(s3.key_id, s3.secret, "us-east-1")

    def sent(signed: dict[str, str], added: dict[str, str]) -> tuple[int, str]:
        host = live_server.server.host
        headers = signer.sign("POST", path, "", {"host": host, **signed}, b"[7]", time.time())
        request = urllib.request.Request(
            f"{live_server.url}{path}", data=b"[7]", method="POST", headers={**signed, **headers, **added}
        )
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())["message"]

    source = {"x-amz-source-arn": BUCKET}
    assert sent(source, {}) == (200, "[7]")
    status, message = sent({}, source)
    assert (status, message) == (
        403,
        "There were headers present in the request which were not signed: x-amz-source-arn",
    )
    status, message = sent({"x-amz-source-arn": f"{BUCKET}-2"}, source)
    assert (status, message.partition(" does not match")[0]) == (403, "The request signature we calculated")


def test_a_service_may_nothing_else(s3: ServiceCaller, make_function: Functions, lambda_client: Any) -> None:
    name = make_function(ECHO)
    everything = {"Action": "lambda:*", "Principal": "s3.amazonaws.com"}
    lambda_client.add_permission(FunctionName=name, StatementId="all", **everything)
    lambda_, iam, sts, kms, ecr = (s3.client(one) for one in ("lambda", "iam", "sts", "kms", "ecr"))
    role = "arn:aws:iam::123456789012:role/any"
    unknown = [
        (iam.list_users, {}),
        (sts.get_caller_identity, {}),
        (sts.get_session_token, {}),
        (sts.assume_role, {"RoleArn": role, "RoleSessionName": "mine"}),
        (kms.list_keys, {}),
        (ecr.describe_repositories, {}),
    ]
    codes = {refusal(call, **members)[1] for call, members in unknown}
    assert codes == {"InvalidClientTokenId", "UnrecognizedClientException"}
    refused = [
        (lambda_.list_functions, {}),
        (lambda_.create_event_source_mapping, {"FunctionName": name, "EventSourceArn": "arn:aws:sqs:us-east-1:1:q"}),
        (lambda_.create_function, {**creation(f"{name}-2", ECHO), "Role": role}),
        (lambda_.update_function_configuration, {"FunctionName": name, "Role": role}),
    ]
    assert {refusal(call, **members)[:2] for call, members in refused} == {(403, "AccessDeniedException")}
    for client in (lambda_, iam, sts, kms, ecr):
        client.close()
    for method, view in (("GET", "status"), ("GET", "service-keys"), ("POST", "service-keys/s3.amazonaws.com")):
        assert asked(s3, method, f"/_lampion/{view}")[0] == 403


def test_a_service_invokes_by_function_url(s3: ServiceCaller, make_function: Functions, lambda_client: Any) -> None:
    name = make_function(ECHO)
    url = lambda_client.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")["FunctionUrl"]
    path = f"/_lampion/function-urls/{urlsplit(url).netloc.partition('.')[0]}/path"
    permission = {"Principal": "s3.amazonaws.com", "SourceArn": BUCKET, "FunctionName": name}
    lambda_client.add_permission(**permission, StatementId="url", Action="lambda:InvokeFunctionUrl")
    lambda_client.add_permission(
        **permission, StatementId="by-url", Action="lambda:InvokeFunction", InvokedViaFunctionUrl=True
    )
    status, body = asked(s3, "GET", path, source=BUCKET)
    assert (status, json.loads(body)["requestContext"]["http"]["method"]) == (200, "GET")
    for source in ("", f"{BUCKET}-2"):
        assert asked(s3, "GET", path, source=source)[0] == 403


def test_keys_are_listed_without_secrets_and_removed_for_good(
    live_server: LiveServer, make_function: Functions, lambda_client: Any
) -> None:
    name = make_function(ECHO)
    permission = {"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    lambda_client.add_permission(FunctionName=name, StatementId="s", **permission)
    made = lampion(live_server, "s3")
    told = dict(line.split(" = ") for line in made.stdout.splitlines())
    key = {"AccessKeyId": told["aws_access_key_id"], "SecretAccessKey": told["aws_secret_access_key"]}
    caller = ServiceCaller(live_server, key=key)
    assert caller.invoke(name) == [7]
    listed = lampion(live_server, "--list").stdout
    assert any(line.split()[::2] == [caller.key_id, "s3.amazonaws.com"] for line in listed.splitlines())
    assert caller.secret not in listed + live_server.output
    assert lampion(live_server, "--remove", caller.key_id).stdout == f"removed {caller.key_id}\n"
    assert caller.invoke(name)[:2] == (403, "UnrecognizedClientException")
    assert caller.key_id not in lampion(live_server, "--list").stdout
    again = lampion(live_server, "--remove", caller.key_id)
    assert (again.returncode, "lampion iam service-key --list" in again.stderr) == (ExitCode.NOT_FOUND, True)
    for wrong in ("nobody!", "s3.example.org"):
        refused = lampion(live_server, wrong)
        assert (refused.returncode, "is not the name of a service" in refused.stderr) == (ExitCode.USAGE, True)
    assert lampion(live_server).returncode == ExitCode.USAGE


def test_a_key_survives_a_restart_and_reaches_no_other_account(start_server: Callable[..., LiveServer]) -> None:
    server = start_server()
    caller = ServiceCaller(server)
    client = server.client()
    client.create_function(**creation("mine", ECHO))
    wait_active(client, "mine")
    permission = {"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    client.add_permission(FunctionName="mine", StatementId="s", **permission)
    client.close()
    server.restart()
    assert caller.invoke("mine") == [7]
    foreign = f"arn:aws:lambda:us-east-1:{OTHER}:function:mine"
    server.stop()
    server.options = ["--auth", "open"]
    server.start()
    with account(server, OTHER) as other:
        other.create_function(**creation("mine", ECHO, Role=role_in(OTHER)))
        wait_active(other, "mine")
        other.add_permission(FunctionName="mine", StatementId="s", **permission)
        url = other.create_function_url_config(FunctionName="mine", AuthType="AWS_IAM")["FunctionUrl"]
        by_url = {"Principal": "s3.amazonaws.com", "FunctionName": "mine"}
        other.add_permission(**by_url, StatementId="url", Action="lambda:InvokeFunctionUrl")
        other.add_permission(**by_url, StatementId="u", Action="lambda:InvokeFunction", InvokedViaFunctionUrl=True)
    server.stop()
    server.options = []
    server.start()
    assert caller.invoke("mine") == [7]
    assert caller.invoke(foreign) == denied("s3.amazonaws.com", "lambda:InvokeFunction", foreign)
    path = f"/_lampion/function-urls/{urlsplit(url).netloc.partition('.')[0]}/"
    assert asked(caller, "GET", path)[0] == 403
