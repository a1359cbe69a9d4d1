"""boto3 with two accounts on one server: each has its own functions, and reaches those of the other by permission."""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from tests.conformance.accounts import account
from tests.conformance.function_urls.visiting import visit
from tests.deployment import creation, role_in, wait_active
from tests.live_server import LiveServer

OWNER, OTHER, THIRD = "123456789012", "111122223333", "333322221111"
SOURCE = "def handler(event, context):\n    return context.invoked_function_arn\n"
ARN = f"arn:aws:lambda:us-east-1:{OWNER}:function:mine"
GIVEN: dict[str, Any] = {
    "Action": "lambda:InvokeFunction",
    "AuthType": "NONE",
    "Code": {"ZipFile": b"zip"},
    "CodeSigningConfigArn": f"arn:aws:lambda:us-east-1:{OTHER}:code-signing-config:csc-0123456789abcdef0",
    "FunctionVersion": "1",
    "Name": "alias",
    "Principal": "*",
    "ProvisionedConcurrentExecutions": 1,
    "Qualifier": "1",
    "RecursiveLoop": "Allow",
    "ReservedConcurrentExecutions": 1,
    "Role": f"arn:aws:iam::{OTHER}:role/role",
    "StatementId": "statement",
    "UpdateRuntimeOn": "FunctionUpdate",
}
"""What the operations require besides the function."""


class Accounts(NamedTuple):
    """Two clients; the first one's account has the function `mine`, with version 1 and the alias `alias`."""

    owner: Any
    other: Any


@pytest.fixture
def accounts(start_server: Callable[..., LiveServer]) -> Iterator[Accounts]:
    server = start_server("--auth", "open")
    with account(server, OWNER) as owner, account(server, OTHER) as other:
        owner.create_function(**creation("mine", SOURCE))
        wait_active(owner, "mine")
        owner.publish_version(FunctionName="mine")
        owner.create_alias(FunctionName="mine", Name="alias", FunctionVersion="1")
        yield Accounts(owner, other)


def test_no_operation_reaches_the_function_of_another_account(accounts: Accounts) -> None:
    accounts.owner.add_permission(FunctionName="mine", StatementId="s", Action="lambda:GetFunction", Principal=THIRD)
    before = state_of(accounts.owner)
    answers = {name: asked(accounts.other, name, given) for name, given in operations_on_functions(accounts.other)}
    denied = {name: answer for name, answer in answers.items() if answer[0] != "OperationNotImplementedException"}
    assert len(denied) >= 40
    for name, (code, status, message) in denied.items():
        action = "InvokeFunction" if name in ("Invoke", "InvokeAsync", "InvokeWithResponseStream") else name
        assert (code, status) == ("AccessDeniedException", 403), name
        assert message.startswith(
            f"User: arn:aws:iam::{OTHER}:root is not authorized to perform: lambda:{action} on resource: {ARN}"
        ), message
        assert message.endswith(f" because no resource-based policy allows the lambda:{action} action"), message
    assert state_of(accounts.owner) == before


def test_a_permission_lets_another_account_do_that_and_nothing_else(accounts: Accounts) -> None:
    owner, other = accounts
    for qualifier, sid in ((None, "all"), ("alias", "of-alias")):
        given = {} if qualifier is None else {"Qualifier": qualifier}
        owner.add_permission(
            FunctionName="mine", StatementId=sid, Action="lambda:InvokeFunction", Principal=OTHER, **given
        )
    assert other.invoke(FunctionName=ARN)["Payload"].read().decode() == f'"{ARN}"'
    assert other.invoke(FunctionName=ARN, Qualifier="alias")["Payload"].read().decode() == f'"{ARN}:alias"'
    assert asked(other, "Invoke", {"FunctionName": ARN, "Qualifier": "1"})[0] == "AccessDeniedException"
    assert asked(other, "GetFunction", {"FunctionName": ARN})[0] == "AccessDeniedException"
    owner.remove_permission(FunctionName="mine", StatementId="all")
    assert asked(other, "Invoke", {"FunctionName": ARN})[0] == "AccessDeniedException"
    owner.remove_permission(FunctionName="mine", StatementId="of-alias", Qualifier="alias")
    assert asked(other, "Invoke", {"FunctionName": ARN, "Qualifier": "alias"})[0] == "AccessDeniedException"


def test_a_denial_holds_for_the_owner_too(accounts: Accounts) -> None:
    denial = {"Effect": "Deny", "Principal": {"AWS": OWNER}, "Action": "lambda:InvokeFunction", "Resource": ARN}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [denial]})
    accounts.owner.put_resource_policy(ResourceArn=ARN, Policy=policy)
    code, status, message = asked(accounts.owner, "Invoke", {"FunctionName": "mine"})
    assert (code, status) == ("AccessDeniedException", 403)
    assert message.endswith(f"on resource: {ARN} with an explicit deny in a resource-based policy")
    accounts.owner.delete_resource_policy(ResourceArn=ARN)
    assert accounts.owner.invoke(FunctionName="mine")["StatusCode"] == 200


def test_a_name_is_each_accounts_own(accounts: Accounts) -> None:
    with pytest.raises(accounts.other.exceptions.ResourceNotFoundException):
        accounts.other.get_function(FunctionName="mine")
    assert accounts.other.list_functions()["Functions"] == []
    accounts.other.create_function(**creation("mine", SOURCE, Role=role_in(OTHER)))
    wait_active(accounts.other, "mine")
    for client, account_id in ((accounts.owner, OWNER), (accounts.other, OTHER)):
        payload = client.invoke(FunctionName="mine")["Payload"].read().decode()
        assert payload == f'"arn:aws:lambda:us-east-1:{account_id}:function:mine"'
    accounts.other.delete_function(FunctionName="mine")
    assert accounts.owner.get_function(FunctionName="mine")["Configuration"]["FunctionArn"] == ARN


def operations_on_functions(client: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation that names a function, with the least that it may be given."""
    model = client.meta.service_model
    for name in model.operation_names:
        shape = model.operation_model(name).input_shape
        if "FunctionName" in shape.members and "UUID" not in shape.required_members:
            required = {member: GIVEN.get(member, b"{}") for member in shape.required_members}
            more = {"Runtime": "python3.12", "Handler": "a.b"} if name == "CreateFunction" else {}
            yield name, {**required, **more, "FunctionName": ARN}


def asked(client: Any, operation: str, given: dict[str, Any]) -> tuple[str, int, str]:
    """Code, status and message of the error that it answers."""
    with pytest.raises(ClientError) as caught:
        getattr(client, xform_name(operation))(**given)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


def state_of(client: Any) -> list[Any]:
    """Of `mine`: all that the operations could have changed."""
    answers = [
        client.get_function_configuration(FunctionName="mine"),
        client.list_versions_by_function(FunctionName="mine"),
        client.list_aliases(FunctionName="mine"),
        client.get_policy(FunctionName="mine"),
        client.get_function_concurrency(FunctionName="mine"),
        client.list_provisioned_concurrency_configs(FunctionName="mine"),
        client.list_function_event_invoke_configs(FunctionName="mine"),
        client.list_function_url_configs(FunctionName="mine"),
        client.get_function_recursion_config(FunctionName="mine"),
        client.get_runtime_management_config(FunctionName="mine"),
        client.list_event_source_mappings(),
    ]
    return [{name: value for name, value in answer.items() if name != "ResponseMetadata"} for answer in answers]


@pytest.mark.parametrize(("method", "view"), [("GET", "status"), ("GET", "clock"), ("POST", "clock")])
def test_the_server_as_a_whole_is_its_own_accounts_matter(
    start_server: Callable[..., LiveServer], method: str, view: str
) -> None:
    """Else any account would move the time of all, and read where the server's disks are."""
    server = start_server("--auth", "open", "--clock", "adjustable")
    body = json.dumps({"advance_seconds": 1}) if method == "POST" else None

    def status(account_id: str) -> int:
        headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={account_id}/20260101/us-east-1/lambda/aws4_request"}
        return visit(server, server.url, method, f"/_lampion/{view}", headers=headers, body=body).status

    assert [status(account_id) for account_id in (OWNER, OTHER)] == [200, 403]
