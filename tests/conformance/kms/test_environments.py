"""Environment variables are encrypted with a key of KMS: who may set, see and run them, and what a lost key means."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conformance.kms.clients import ACCOUNT, Clients, allow, policy
from tests.deployment import ROLE, Functions, arn_of, configuration, creation, unique_name, wait_updated
from tests.live_server import LiveServer

SHOWS = "import os\ndef handler(event, context):\n    return os.environ.get('SECRET')\n"
SECRET = {"SECRET": "hidden from whoever may not"}
MANAGES = {"Effect": "Allow", "Action": ["lambda:*", "iam:PassRole"], "Resource": "*"}
ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
CANNOT_CONFIGURE = "Lambda was unable to configure access to your environment variables because "
CANNOT_DECRYPT = "Lambda was unable to decrypt the environment variables because "


@pytest.fixture
def usable(kms: Any, key: Any) -> Iterator[Any]:
    """The key, which may be disabled or going meanwhile."""
    yield key
    if kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "PendingDeletion":
        kms.cancel_key_deletion(KeyId=key["KeyId"])
    kms.enable_key(KeyId=key["KeyId"])


def secret(make_function: Functions, key: Any, **more: Any) -> str:
    return make_function(SHOWS, Environment={"Variables": SECRET}, KMSKeyArn=key["Arn"], **more)


def call(client: Any, name: str, **more: Any) -> Any:
    answer = client.invoke(FunctionName=name, **more)
    payload = answer["Payload"].read()
    assert "FunctionError" not in answer, payload
    return json.loads(payload)


def refusal(call_: Any, **arguments: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as caught:
        call_(**arguments)
    answer = caught.value.response
    message = answer["Error"].get("Message") or answer.get("Message")
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], message


def grants(kms: Any, key: Any) -> Any:
    return kms.list_grants(KeyId=key["KeyId"])["Grants"]


def make_cold(client: Any, name: str) -> None:
    """Its next invocation starts an environment."""
    client.update_function_configuration(FunctionName=name, Description=unique_name())
    wait_updated(client, name)


def test_a_function_has_a_grant_on_its_key_as_long_as_it_is_there(
    kms: Any, key: Any, lambda_client: Any, make_function: Functions
) -> None:
    name = secret(make_function, key)
    assert call(lambda_client, name) == SECRET["SECRET"]
    (grant,) = grants(kms, key)
    assert grant["GranteePrincipal"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE.rpartition('/')[2]}/{name}"
    assert grant["Operations"] == ["Decrypt", "RetireGrant"]
    assert grant["Constraints"] == {"EncryptionContextEquals": {"aws:lambda:FunctionArn": arn_of(name)}}
    assert grant["IssuingAccount"] == ROOT["AWS"]
    lambda_client.update_function_configuration(FunctionName=name, Environment={"Variables": SECRET})
    wait_updated(lambda_client, name)
    assert [one["GrantId"] for one in grants(kms, key)] == [grant["GrantId"]]
    lambda_client.delete_function(FunctionName=name)
    assert grants(kms, key) == []


def test_a_function_without_variables_needs_no_key(kms: Any, key: Any, make_function: Functions) -> None:
    make_function(SHOWS, KMSKeyArn=key["Arn"])
    make_function(SHOWS, KMSKeyArn=key["Arn"], Environment={"Variables": {}})
    assert grants(kms, key) == []


def test_another_key_encrypts_anew_and_versions_keep_theirs(
    kms: Any, key: Any, lambda_client: Any, make_function: Functions
) -> None:
    other = kms.create_key()["KeyMetadata"]
    name = secret(make_function, key)
    lambda_client.publish_version(FunctionName=name)
    answer = lambda_client.update_function_configuration(FunctionName=name, KMSKeyArn=other["Arn"])
    assert (answer["Environment"]["Variables"], answer["KMSKeyArn"]) == (SECRET, other["Arn"])
    wait_updated(lambda_client, name)
    assert (len(grants(kms, key)), len(grants(kms, other))) == (1, 1)
    kms.disable_key(KeyId=key["KeyId"])
    assert call(lambda_client, name) == SECRET["SECRET"]
    assert refusal(lambda_client.invoke, FunctionName=name, Qualifier="1")[1] == "KMSDisabledException"
    assert configuration(lambda_client, name, Qualifier="1")["KMSKeyArn"] == key["Arn"]
    kms.enable_key(KeyId=key["KeyId"])
    assert call(lambda_client, name, Qualifier="1") == SECRET["SECRET"]
    lambda_client.update_function_configuration(FunctionName=name, KMSKeyArn="")
    wait_updated(lambda_client, name)
    kms.disable_key(KeyId=other["KeyId"])
    assert call(lambda_client, name) == SECRET["SECRET"]


def test_without_versions_the_grants_of_former_keys_and_roles_go(
    kms: Any, key: Any, lambda_client: Any, make_function: Functions
) -> None:
    name, keys = secret(make_function, key), [kms.create_key()["KeyMetadata"] for _ in range(2)]
    for one in keys:
        lambda_client.update_function_configuration(FunctionName=name, KMSKeyArn=one["Arn"])
        wait_updated(lambda_client, name)
    assert [len(grants(kms, one)) for one in (key, *keys)] == [0, 1, 1]
    roles = [ROLE, *(f"{ROLE}-{number}" for number in range(3))]
    for role in roles[1:]:
        lambda_client.update_function_configuration(FunctionName=name, Role=role)
        wait_updated(lambda_client, name)
    held = {one["GranteePrincipal"].split("/")[1] for one in grants(kms, keys[1])}
    assert held == {role.rpartition("/")[2] for role in roles[-2:]}
    assert call(lambda_client, name) == SECRET["SECRET"]


def test_with_versions_the_grants_of_former_keys_stay(
    kms: Any, key: Any, lambda_client: Any, make_function: Functions
) -> None:
    name, keys = secret(make_function, key), [kms.create_key()["KeyMetadata"] for _ in range(2)]
    version = lambda_client.publish_version(FunctionName=name)["Version"]
    for one in keys:
        lambda_client.update_function_configuration(FunctionName=name, KMSKeyArn=one["Arn"])
        wait_updated(lambda_client, name)
    assert [len(grants(kms, one)) for one in (key, *keys)] == [1, 1, 1]
    assert call(lambda_client, name, Qualifier=version) == SECRET["SECRET"]


def test_a_version_of_the_same_variables_is_the_same_version(
    key: Any, lambda_client: Any, make_function: Functions
) -> None:
    name = secret(make_function, key)
    first = lambda_client.publish_version(FunctionName=name)["Version"]
    lambda_client.update_function_configuration(FunctionName=name, Environment={"Variables": SECRET})
    wait_updated(lambda_client, name)
    assert lambda_client.publish_version(FunctionName=name)["Version"] == first
    lambda_client.update_function_configuration(FunctionName=name, Environment={"Variables": {**SECRET, "AB": "c"}})
    wait_updated(lambda_client, name)
    assert lambda_client.publish_version(FunctionName=name)["Version"] == "2"


def test_a_key_that_cannot_be_used_is_refused_and_nothing_changes(
    kms: Any, usable: Any, lambda_client: Any, make_function: Functions
) -> None:
    missing = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"
    name, before = make_function(SHOWS, Environment={"Variables": {"AB": "c"}}), {}
    before = configuration(lambda_client, name)
    made = creation(unique_name("refused"), SHOWS, Environment={"Variables": SECRET})

    def both(arn: str) -> str:
        update = refusal(lambda_client.update_function_configuration, FunctionName=name, KMSKeyArn=arn)
        assert refusal(lambda_client.create_function, **made, KMSKeyArn=arn) == update
        assert update[:2] == (400, "InvalidParameterValueException")
        return update[2].removeprefix(CANNOT_CONFIGURE)

    to_check = "Please check your KMS key settings. "
    assert both(missing) == (
        f"the KMS key is invalid for CreateGrant. {to_check}KMS Exception: NotFoundException KMS Message: "
        f"Key '{missing}' does not exist"
    )
    kms.disable_key(KeyId=usable["KeyId"])
    assert both(usable["Arn"]) == (
        f"the KMS key is disabled. {to_check}KMS Exception: DisabledException KMS Message: {usable['Arn']} is disabled."
    )
    kms.schedule_key_deletion(KeyId=usable["KeyId"])
    assert both(usable["Arn"]).endswith(f"KMSInvalidStateException KMS Message: {usable['Arn']} is pending deletion.")
    assert configuration(lambda_client, name) == before
    assert refusal(lambda_client.get_function, FunctionName=made["FunctionName"])[0] == 404


@pytest.mark.parametrize(("may", "missing"), [(("Encrypt", "Decrypt"), "CreateGrant"), (("CreateGrant",), "Encrypt")])
def test_who_configures_a_key_must_be_allowed_to_use_it(
    clients: Clients, key: Any, lambda_client: Any, may: tuple[str, ...], missing: str
) -> None:
    user = f"configures-without-{missing}"
    client = clients.user(user, MANAGES, allow(*may), service="lambda")
    made = creation(unique_name("denied"), SHOWS, Environment={"Variables": SECRET}, KMSKeyArn=key["Arn"])
    status, code, message = refusal(client.create_function, **made)
    assert (status, code) == (400, "InvalidParameterValueException")
    assert message == (
        f"{CANNOT_CONFIGURE}you are not authorized to use the KMS key for {missing}. Please check your KMS key "
        "settings. KMS Exception: AccessDeniedException KMS Message: "
        f"User: arn:aws:iam::{ACCOUNT}:user/{user} is not authorized to perform: kms:{missing} on resource: "
        f"{key['Arn']} because no identity-based policy allows the kms:{missing} action"
    )
    assert refusal(lambda_client.get_function, FunctionName=made["FunctionName"])[0] == 404


def test_who_may_not_decrypt_sees_why_in_place_of_the_variables(
    clients: Clients, kms: Any, key: Any, lambda_client: Any, make_function: Functions
) -> None:
    name, plain = secret(make_function, key), make_function(SHOWS, Environment={"Variables": {"AB": "c"}})
    lambda_client.publish_version(FunctionName=name)
    manager = clients.user("sees-no-variables", MANAGES, service="lambda")
    told = {
        "ErrorCode": "AccessDeniedException",
        "Message": "Lambda was unable to decrypt your environment variables because the KMS access was denied. Please "
        "check your KMS permissions. KMS Exception: AccessDeniedException KMS Message: User: "
        f"arn:aws:iam::{ACCOUNT}:user/sees-no-variables is not authorized to perform: kms:Decrypt on resource: "
        f"{key['Arn']} because no identity-based policy allows the kms:Decrypt action",
    }

    def seen(client: Any, wanted: str) -> list[Any]:
        every = client.get_paginator("list_functions").paginate().build_full_result()["Functions"]
        return [
            client.get_function_configuration(FunctionName=wanted)["Environment"],
            client.get_function(FunctionName=wanted)["Configuration"]["Environment"],
            next(one for one in every if one["FunctionName"] == wanted)["Environment"],
            client.list_versions_by_function(FunctionName=wanted)["Versions"][-1]["Environment"],
        ]

    assert seen(manager, name) == [{"Error": told}] * 4
    assert seen(lambda_client, name) == [{"Variables": SECRET}] * 4
    assert seen(manager, plain) == [{"Variables": {"AB": "c"}}] * 4
    changed = manager.update_function_configuration(FunctionName=name, Timeout=9)
    assert (changed["Timeout"], changed["Environment"]) == (9, {"Error": told})
    wait_updated(lambda_client, name)
    assert refusal(manager.update_function_configuration, FunctionName=name, KMSKeyArn="")[2].startswith(
        f"{CANNOT_CONFIGURE}you are not authorized to use the KMS key for Decrypt."
    )
    kms.disable_key(KeyId=key["KeyId"])
    error = configuration(lambda_client, name)["Environment"]["Error"]
    assert error["ErrorCode"] == "DisabledException"
    assert error["Message"].endswith(f"KMS Message: {key['Arn']} is disabled.")


def test_a_policy_that_denies_all_of_kms_hides_variables_of_lambdas_own_key_too(
    clients: Clients, make_function: Functions
) -> None:
    name = make_function(SHOWS, Environment={"Variables": SECRET})
    denied = clients.user("denied-all-of-kms", MANAGES, {**allow("*"), "Effect": "Deny"}, service="lambda")
    error = configuration(denied, name)["Environment"]["Error"]
    assert error["ErrorCode"] == "AccessDeniedException"
    assert error["Message"].endswith("with an explicit deny in an identity-based policy")


def test_an_environment_that_runs_goes_on_and_none_starts_while_the_key_is_disabled(
    kms: Any, usable: Any, lambda_client: Any, make_function: Functions
) -> None:
    name = secret(make_function, usable)
    assert call(lambda_client, name) == SECRET["SECRET"]
    kms.disable_key(KeyId=usable["KeyId"])
    assert call(lambda_client, name) == SECRET["SECRET"]
    make_cold(lambda_client, name)
    to_check = "Please check the function's KMS key settings. "
    assert refusal(lambda_client.invoke, FunctionName=name) == (
        502,
        "KMSDisabledException",
        f"{CANNOT_DECRYPT}the KMS key used is disabled. {to_check}KMS Exception: DisabledExceptionKMS Message: "
        f"{usable['Arn']} is disabled.",
    )
    assert configuration(lambda_client, name)["State"] == "Active"
    kms.enable_key(KeyId=usable["KeyId"])
    assert call(lambda_client, name) == SECRET["SECRET"]
    kms.schedule_key_deletion(KeyId=usable["KeyId"])
    make_cold(lambda_client, name)
    status, code, message = refusal(lambda_client.invoke, FunctionName=name)
    assert (status, code) == (502, "KMSInvalidStateException")
    assert message.endswith(f"KMS Message: {usable['Arn']} is pending deletion.")


def test_lambda_needs_its_grant_or_a_policy_that_lets_the_role_decrypt(
    clients: Clients, kms: Any, key: Any, lambda_client: Any, make_function: Functions
) -> None:
    iam, role = clients.of("iam"), unique_name("decrypts")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    name = secret(make_function, key, Role=arn)
    kms.revoke_grant(KeyId=key["KeyId"], GrantId=grants(kms, key)[0]["GrantId"])
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}"
    assert refusal(lambda_client.invoke, FunctionName=name) == (
        502,
        "KMSAccessDeniedException",
        f"{CANNOT_DECRYPT}KMS access was denied. Please check the function's KMS key settings. KMS Exception: "
        f"AccessDeniedExceptionKMS Message: User: {session} is not authorized to perform: kms:Decrypt on resource: "
        f"{key['Arn']} because no identity-based policy allows the kms:Decrypt action",
    )
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=policy(allow("Decrypt")))
    assert call(lambda_client, name) == SECRET["SECRET"]
    deny = {"Effect": "Deny", "Principal": {"AWS": arn}, "Action": "kms:Decrypt", "Resource": "*"}
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(allow("*", Principal=ROOT), deny))
    make_cold(lambda_client, name)
    assert refusal(lambda_client.invoke, FunctionName=name)[1] == "KMSAccessDeniedException"
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(allow("*", Principal=ROOT)))
    iam.delete_role_policy(RoleName=role, PolicyName="p")
    lambda_client.update_function_configuration(FunctionName=name, Role=ROLE)
    wait_updated(lambda_client, name)
    assert call(lambda_client, name) == SECRET["SECRET"]  # its new role has a grant of its own
    iam.delete_role(RoleName=role)


def test_an_event_waits_for_its_functions_key(
    kms: Any, usable: Any, live_server: LiveServer, lambda_client: Any, make_function: Functions
) -> None:
    logs = "import os\ndef handler(event, context):\n    print('saw', len(os.environ['SECRET']), event)\n"
    name = make_function(logs, Environment={"Variables": SECRET}, KMSKeyArn=usable["Arn"])
    kms.disable_key(KeyId=usable["KeyId"])
    lambda_client.invoke(FunctionName=name, InvocationType="Event", Payload=b'"an event"')
    time.sleep(0.5)
    assert not any("saw" in line for line in live_server.log_of(name))
    kms.enable_key(KeyId=usable["KeyId"])
    deadline = time.monotonic() + 60
    while not any(f"saw {len(SECRET['SECRET'])} an event" in line for line in live_server.log_of(name)):
        assert time.monotonic() < deadline
        time.sleep(0.5)
