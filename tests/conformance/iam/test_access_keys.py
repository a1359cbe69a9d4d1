"""Access keys of users: whose they are, and that they count from the first moment to the last."""

import re
from typing import Any

from tests.conformance.iam.making import ACCOUNT, Made, allowing, call, with_keys
from tests.conformance.refusals import refusal, refused
from tests.live_server import LiveServer

UNKNOWN = (403, "InvalidClientTokenId", "The security token included in the request is invalid.")
ROOT = f"arn:aws:iam::{ACCOUNT}:root"


def test_a_key_from_its_creation_to_its_end(iam: Any, made: Made) -> None:
    user = made.user()
    key = call(iam, "create_access_key", UserName=user.upper())["AccessKey"]
    assert set(key) == {"UserName", "AccessKeyId", "Status", "SecretAccessKey", "CreateDate"}
    assert re.fullmatch(r"LKIA[A-Z2-7]{16}", key["AccessKeyId"])
    assert re.fullmatch(r"[A-Za-z0-9+/]{40}", key["SecretAccessKey"])
    shown = {name: value for name, value in key.items() if name != "SecretAccessKey"}
    assert (shown["UserName"], shown["Status"]) == (user, "Active")
    listed = call(iam, "list_access_keys", UserName=user)
    assert listed == {"AccessKeyMetadata": [shown], "IsTruncated": False}
    named = {"UserName": user, "AccessKeyId": key["AccessKeyId"]}
    assert call(iam, "update_access_key", **named, Status="Inactive") == {}
    assert iam.list_access_keys(UserName=user)["AccessKeyMetadata"] == [{**shown, "Status": "Inactive"}]
    assert refused(iam.update_access_key, **named, Status="Idle")[0] == "ValidationError"
    assert call(iam, "delete_access_key", **named) == {}
    told = (404, "NoSuchEntity", f"The Access Key with id {key['AccessKeyId']} cannot be found.")
    assert refusal(iam.delete_access_key, **named) == told
    assert refusal(iam.update_access_key, **named, Status="Active") == told


def test_a_user_has_two_keys_at_the_most(iam: Any, made: Made) -> None:
    user = made.user()
    keys = sorted(made.key(user)["AccessKeyId"] for _ in range(2))
    told = (409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
    assert refusal(iam.create_access_key, UserName=user) == told
    assert [one["AccessKeyId"] for one in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]] == keys


def test_keys_of_others_and_of_nobody_are_not_found(iam: Any, made: Made) -> None:
    user, other = made.user(), made.user()
    key_id = made.key(user)["AccessKeyId"]
    told = (404, "NoSuchEntity", f"The Access Key with id {key_id} cannot be found.")
    assert refusal(iam.delete_access_key, UserName=other, AccessKeyId=key_id) == told
    assert refusal(iam.update_access_key, UserName=other, AccessKeyId=key_id, Status="Inactive") == told
    nobody = (404, "NoSuchEntity", "The user with name nobody cannot be found.")
    for operation, more in (
        (iam.create_access_key, {}),
        (iam.list_access_keys, {}),
        (iam.delete_access_key, {"AccessKeyId": key_id}),
        (iam.update_access_key, {"AccessKeyId": key_id, "Status": "Inactive"}),
    ):
        assert refusal(operation, UserName="nobody", **more) == nobody
    assert iam.list_access_keys(UserName=user)["AccessKeyMetadata"][0]["Status"] == "Active"


def test_who_one_is(iam: Any, made: Made, live_server: LiveServer) -> None:
    """GetUser and ListAccessKeys without a name, and GetCallerIdentity: of a user, and of the root."""
    user = made.user(allowing("iam:*"), Path="/team/", Tags=[{"Key": "a", "Value": "b"}])
    key = made.key(user)
    own, sts = made.client("iam", key), made.client("sts", key)
    shown = iam.get_user(UserName=user)["User"]
    assert own.get_user()["User"] == shown
    identity = call(sts, "get_caller_identity")
    assert identity == {"UserId": shown["UserId"], "Account": ACCOUNT, "Arn": shown["Arn"]}
    assert own.list_access_keys()["AccessKeyMetadata"][0]["AccessKeyId"] == key["AccessKeyId"]
    second = own.create_access_key()["AccessKey"]
    assert second["UserName"] == user
    own.update_access_key(AccessKeyId=second["AccessKeyId"], Status="Inactive")
    own.delete_access_key(AccessKeyId=second["AccessKeyId"])
    assert len(iam.list_access_keys(UserName=user)["AccessKeyMetadata"]) == 1
    root = iam.get_user()["User"]
    assert (root["UserId"], root["Arn"]) == (ACCOUNT, ROOT)
    of_root = [{"AccessKeyId": live_server.server.access_key_id, "Status": "Active"}]
    assert iam.list_access_keys()["AccessKeyMetadata"] == of_root
    lent = live_server.client("sts").get_session_token()["Credentials"]
    session = with_keys(live_server.url, "iam", lent["AccessKeyId"], lent["SecretAccessKey"], lent["SessionToken"])
    made.clients.append(session)
    assert refusal(session.get_user) == UNKNOWN  # without MFA, IAM takes no keys of GetSessionToken
    assert refusal(session.create_access_key, UserName=user) == UNKNOWN
    told = (400, "ValidationError", "Must specify userName when calling with non-User credentials")
    assert refusal(iam.create_access_key) == told
    assert refusal(iam.delete_access_key, AccessKeyId=key["AccessKeyId"]) == told


def test_a_key_counts_at_once_and_no_longer_than_it_is_active(iam: Any, made: Made) -> None:
    user = made.user(allowing("iam:GetUser"))
    key = made.key(user)
    own, sts = made.client("iam", key), made.client("sts", key)
    aws_lambda = made.client("lambda", key)
    named = {"UserName": user, "AccessKeyId": key["AccessKeyId"]}
    assert own.get_user()["User"]["UserName"] == user
    iam.update_access_key(**named, Status="Inactive")
    for call_of_user in (own.get_user, sts.get_caller_identity):
        assert refusal(call_of_user) == UNKNOWN
    assert refusal(aws_lambda.list_functions)[:2] == (403, "UnrecognizedClientException")
    iam.update_access_key(**named, Status="Active")
    assert own.get_user()["User"]["UserName"] == user
    assert refusal(aws_lambda.list_functions)[:2] == (403, "AccessDeniedException")
    iam.delete_access_key(**named)
    assert refusal(own.get_user) == UNKNOWN
    assert refusal(aws_lambda.list_functions)[:2] == (403, "UnrecognizedClientException")


def test_a_secret_of_another_key_and_a_token_are_refused(made: Made, live_server: LiveServer) -> None:
    one, other = made.key(made.user()), made.key(made.user())
    swapped = made.client("sts", {**one, "SecretAccessKey": other["SecretAccessKey"]})
    assert refusal(swapped.get_caller_identity)[:2] == (403, "SignatureDoesNotMatch")
    with_token = with_keys(live_server.url, "sts", one["AccessKeyId"], one["SecretAccessKey"], "token")
    made.clients.append(with_token)
    assert refusal(with_token.get_caller_identity) == UNKNOWN


def test_a_renamed_user_keeps_its_keys(iam: Any, made: Made) -> None:
    user = made.user(allowing("iam:GetUser"))
    own = made.client("iam", made.key(user))
    before = own.get_user()["User"]
    iam.update_user(UserName=user, NewUserName=f"{user}-new", NewPath="/moved/")
    made.renamed("User", user, f"{user}-new")
    after = own.get_user()["User"]
    assert (after["UserName"], after["Path"], after["UserId"]) == (f"{user}-new", "/moved/", before["UserId"])
    assert len(iam.list_access_keys(UserName=f"{user}-new")["AccessKeyMetadata"]) == 1


def test_the_keys_of_a_deleted_user_are_not_those_of_the_next_one(iam: Any, made: Made) -> None:
    user = made.user()
    key = made.key(user)
    iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=user)
    made.user(Name=user)
    assert iam.list_access_keys(UserName=user)["AccessKeyMetadata"] == []
    assert refusal(made.client("sts", key).get_caller_identity) == UNKNOWN
