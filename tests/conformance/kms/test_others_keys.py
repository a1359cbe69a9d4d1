"""Another account's key looks as one that isn't there, whatever is asked of it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.kms.clients import ACCOUNT, REGION, clients_of, policy, refused
from tests.live_server import LiveServer

OTHER = "210987654321"
GRANT = {"GranteePrincipal": f"arn:aws:iam::{OTHER}:root", "Operations": ["Encrypt"]}


@pytest.fixture(scope="module")
def two_accounts(marked_root: Any) -> Iterator[LiveServer]:
    """On an open server everybody is the root of the account that he names."""
    with LiveServer(data=marked_root / "kms-others", options=("--auth", "open")) as server:
        yield server


ASKED: dict[str, dict[str, Any]] = {
    "cancel_key_deletion": {},
    "create_alias": {"AliasName": "alias/mine", "KeyId": None, "TargetKeyId": "KEY"},
    "create_grant": GRANT,
    "describe_key": {},
    "disable_key": {},
    "disable_key_rotation": {},
    "enable_key": {},
    "enable_key_rotation": {},
    "encrypt": {"Plaintext": b"p"},
    "generate_data_key": {"KeySpec": "AES_256"},
    "generate_data_key_without_plaintext": {"KeySpec": "AES_256"},
    "get_key_policy": {},
    "get_key_rotation_status": {},
    "list_aliases": {},
    "list_grants": {},
    "list_key_policies": {},
    "list_resource_tags": {},
    "put_key_policy": {"Policy": policy({"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"})},
    "retire_grant": {"GrantId": "0" * 64},
    "revoke_grant": {"GrantId": "0" * 64},
    "schedule_key_deletion": {},
    "tag_resource": {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
    "untag_resource": {"TagKeys": ["a"]},
    "update_key_description": {"Description": "theirs"},
}


def test_no_operation_tells_whether_there_is_such_a_key_or_alias(two_accounts: LiveServer) -> None:
    with clients_of(two_accounts) as clients:
        owner, other = clients.of("kms", ACCOUNT, "x"), clients.of("kms", OTHER, "x")
        key = owner.create_key()["KeyMetadata"]
        pending = owner.create_key()["KeyMetadata"]
        owner.schedule_key_deletion(KeyId=pending["KeyId"])
        owner.create_alias(AliasName="alias/there", TargetKeyId=key["KeyId"])
        absent = key["Arn"][:-4] + "0000"
        for name, more in ASKED.items():
            told = set()
            for arn in (key["Arn"], pending["Arn"], absent):
                asked = {"KeyId": arn, **{member: arn if value == "KEY" else value for member, value in more.items()}}
                asked = {member: value for member, value in asked.items() if value is not None}
                code, message = refused(getattr(other, name), **asked)
                told.add((code, message.replace(arn, "ARN")))
            assert len(told) == 1, (name, told)
        for name in ("describe_key", "encrypt", "generate_data_key"):
            told = set()
            for alias in ("there", "absent"):
                arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/{alias}"
                code, message = refused(getattr(other, name), KeyId=arn, **ASKED[name])
                told.add((code, message.replace(arn, "ARN")))
            assert len(told) == 1, (name, told)


def test_moving_a_ciphertext_tells_nothing_of_either_key(two_accounts: LiveServer) -> None:
    with clients_of(two_accounts) as clients:
        owner, other = clients.of("kms", ACCOUNT, "x"), clients.of("kms", OTHER, "x")
        theirs, mine = owner.create_key()["KeyMetadata"], other.create_key()["KeyMetadata"]
        of_theirs = owner.encrypt(KeyId=theirs["KeyId"], Plaintext=b"p")["CiphertextBlob"]
        of_mine = other.encrypt(KeyId=mine["KeyId"], Plaintext=b"p")["CiphertextBlob"]
        told = set()
        for arn in (theirs["Arn"], theirs["Arn"][:-4] + "0000"):
            code, message = refused(other.re_encrypt, CiphertextBlob=of_mine, DestinationKeyId=arn)
            told.add((code, message.replace(arn, "ARN")))
        assert len(told) == 1
        assert refused(other.re_encrypt, CiphertextBlob=of_theirs, DestinationKeyId=mine["KeyId"])[0] == (
            "AccessDeniedException"
        )
        named = refused(other.decrypt, CiphertextBlob=of_theirs, KeyId=mine["KeyId"])
        assert named[0] == "IncorrectKeyException"
