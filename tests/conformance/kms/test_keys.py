"""Keys with boto3: from their creation to their end, their aliases, policies and tags, and what is refused."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conformance.kms.clients import ACCOUNT, REGION, Clients, allow, policy, refused

ABSENT = "00000000-0000-4000-8000-000000000000"
ABSENT_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{ABSENT}"


def test_a_key_is_made_described_listed_and_renamed(kms: Any) -> None:
    made = kms.create_key(Description="first", Tags=[{"TagKey": "team", "TagValue": "a"}])["KeyMetadata"]
    assert made["Arn"] == f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{made['KeyId']}"
    expected = {
        "AWSAccountId": ACCOUNT,
        "Enabled": True,
        "KeyState": "Enabled",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "MultiRegion": False,
        "Description": "first",
    }
    assert expected.items() <= made.items()
    assert "DeletionDate" not in made
    for name in (made["KeyId"], made["Arn"]):
        assert kms.describe_key(KeyId=name)["KeyMetadata"] == made
    kms.update_key_description(KeyId=made["KeyId"], Description="second")
    assert kms.describe_key(KeyId=made["KeyId"])["KeyMetadata"]["Description"] == "second"
    listed = [
        key
        for page in kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 1})
        for key in page["Keys"]
    ]
    assert {"KeyId": made["KeyId"], "KeyArn": made["Arn"]} in listed
    assert len({one["KeyId"] for one in listed}) == len(listed)
    assert kms.list_resource_tags(KeyId=made["KeyId"])["Tags"] == [{"TagKey": "team", "TagValue": "a"}]


def test_keys_that_are_not_offered_are_refused_by_name(kms: Any) -> None:
    wanted = (
        {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"},
        {"KeyUsage": "GENERATE_VERIFY_MAC", "KeySpec": "HMAC_256"},
        {"Origin": "EXTERNAL"},
        {"MultiRegion": True},
    )
    for members in wanted:
        assert refused(kms.create_key, **members)[0] == "UnsupportedOperationException"
    with pytest.raises(ClientError) as caught:
        kms.sign(KeyId=ABSENT, Message=b"m", SigningAlgorithm="RSASSA_PSS_SHA_256")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "Sign" in caught.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("named", "code", "message"),
    [
        (ABSENT, "NotFoundException", f"Key '{ABSENT_ARN}' does not exist"),
        (ABSENT_ARN, "NotFoundException", f"Key '{ABSENT_ARN}' does not exist"),
        ("alias/absent", "NotFoundException", f"Alias arn:aws:kms:{REGION}:{ACCOUNT}:alias/absent is not found."),
        ("nonsense", "NotFoundException", "Invalid keyId 'nonsense'"),
        (ABSENT_ARN.replace(REGION, "eu-west-3"), "NotFoundException", "Invalid arn eu-west-3"),
        (
            "arn:aws:sqs:us-east-1:123456789012:q",
            "InvalidArnException",
            "Invalid arn arn:aws:sqs:us-east-1:123456789012:q",
        ),
    ],
)
def test_what_is_no_key_is_not_found(kms: Any, named: str, code: str, message: str) -> None:
    assert refused(kms.describe_key, KeyId=named) == (code, message)
    assert refused(kms.encrypt, KeyId=named, Plaintext=b"p") == (code, message)


def test_a_disabled_key_does_nothing_until_it_is_enabled(kms: Any, key: Any) -> None:
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"p")["CiphertextBlob"]
    kms.disable_key(KeyId=key["KeyId"])
    described = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert (described["KeyState"], described["Enabled"]) == ("Disabled", False)
    disabled = ("DisabledException", f"{key['Arn']} is disabled.")
    assert refused(kms.encrypt, KeyId=key["KeyId"], Plaintext=b"p") == disabled
    assert refused(kms.decrypt, CiphertextBlob=blob) == disabled
    assert refused(kms.generate_data_key, KeyId=key["KeyId"], KeySpec="AES_256") == disabled
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    assert refused(kms.re_encrypt, CiphertextBlob=blob, DestinationKeyId=other) == disabled
    elsewhere = kms.encrypt(KeyId=other, Plaintext=b"p")["CiphertextBlob"]
    assert refused(kms.re_encrypt, CiphertextBlob=elsewhere, DestinationKeyId=key["KeyId"]) == disabled
    grantee = f"arn:aws:iam::{ACCOUNT}:user/x"
    grant = {"KeyId": key["KeyId"], "GranteePrincipal": grantee, "Operations": ["Decrypt"]}
    assert refused(kms.create_grant, **grant) == disabled
    kms.enable_key(KeyId=key["KeyId"])
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"p"


def test_a_key_that_is_to_go_can_be_kept(kms: Any, key: Any) -> None:
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"p")["CiphertextBlob"]
    for days in (6, 31):
        assert (
            refused(kms.schedule_key_deletion, KeyId=key["KeyId"], PendingWindowInDays=days)[0] == "ValidationException"
        )
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Enabled"
    scheduled = kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    assert (scheduled["KeyId"], scheduled["KeyState"]) == (key["Arn"], "PendingDeletion")
    assert (scheduled["DeletionDate"] - key["CreationDate"]).days == 7
    pending = ("KMSInvalidStateException", f"{key['Arn']} is pending deletion.")
    assert refused(kms.decrypt, CiphertextBlob=blob) == pending
    for change in (kms.enable_key, kms.disable_key, kms.schedule_key_deletion):
        assert refused(change, KeyId=key["KeyId"]) == pending
    assert refused(kms.tag_resource, KeyId=key["KeyId"], Tags=[{"TagKey": "a", "TagValue": "b"}]) == pending
    assert refused(kms.create_alias, AliasName="alias/pending", TargetKeyId=key["KeyId"]) == pending
    assert kms.cancel_key_deletion(KeyId=key["KeyId"])["KeyId"] == key["Arn"]
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Disabled"
    assert refused(kms.cancel_key_deletion, KeyId=key["KeyId"]) == (
        "KMSInvalidStateException",
        f"{key['Arn']} is not pending deletion.",
    )
    kms.enable_key(KeyId=key["KeyId"])
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"p"


def test_an_alias_names_a_key_and_then_another(kms: Any, key: Any) -> None:
    other = kms.create_key()["KeyMetadata"]
    name = f"alias/test/{key['KeyId']}"
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:{name}"
    kms.create_alias(AliasName=name, TargetKeyId=key["Arn"])
    assert refused(kms.create_alias, AliasName=name, TargetKeyId=other["KeyId"]) == (
        "AlreadyExistsException",
        f"An alias with the name {arn} already exists",
    )
    blob = kms.encrypt(KeyId=name, Plaintext=b"p")["CiphertextBlob"]
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyId"] == key["KeyId"]
    listed = kms.list_aliases(KeyId=key["KeyId"])["Aliases"]
    assert [(one["AliasName"], one["AliasArn"], one["TargetKeyId"]) for one in listed] == [(name, arn, key["KeyId"])]
    kms.update_alias(AliasName=name, TargetKeyId=other["KeyId"])
    assert kms.describe_key(KeyId=name)["KeyMetadata"]["KeyId"] == other["KeyId"]
    assert kms.decrypt(CiphertextBlob=blob)["KeyId"] == key["Arn"]
    assert refused(kms.decrypt, CiphertextBlob=blob, KeyId=name)[0] == "IncorrectKeyException"
    everything = [one for page in kms.get_paginator("list_aliases").paginate() for one in page["Aliases"]]
    assert name in [one["AliasName"] for one in everything]
    assert "alias/aws/lambda" in [one["AliasName"] for one in everything]
    kms.delete_alias(AliasName=name)
    gone = ("NotFoundException", f"Alias {arn} is not found.")
    assert refused(kms.describe_key, KeyId=name) == gone
    assert refused(kms.delete_alias, AliasName=name) == gone
    assert refused(kms.update_alias, AliasName=name, TargetKeyId=key["KeyId"]) == gone


def test_names_that_no_alias_may_have(kms: Any, key: Any) -> None:
    target = key["KeyId"]
    code, message = refused(kms.create_alias, AliasName="name", TargetKeyId=target)
    assert (code, message.split(". ")[0]) == ("ValidationException", 'Alias must start with the prefix "alias/"')
    assert refused(kms.create_alias, AliasName="alias/Service:Test", TargetKeyId=target) == (
        "ValidationException",
        "alias/Service:Test contains invalid characters for an alias",
    )
    assert refused(kms.create_alias, AliasName="alias/aws/mine", TargetKeyId=target)[0] == "InvalidAliasNameException"
    assert refused(kms.create_alias, AliasName="alias/a b", TargetKeyId=target)[0] == "ValidationException"
    assert refused(kms.create_alias, AliasName="alias/x", TargetKeyId="alias/y") == (
        "ValidationException",
        "Aliases must refer to keys. Not aliases",
    )
    assert refused(kms.create_alias, AliasName="alias/x", TargetKeyId=ABSENT)[0] == "NotFoundException"
    assert kms.list_aliases(KeyId=target)["Aliases"] == []


def test_operations_on_the_key_itself_take_no_alias(kms: Any, key: Any) -> None:
    name = f"alias/itself/{key['KeyId']}"
    kms.create_alias(AliasName=name, TargetKeyId=key["KeyId"])
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:{name}"
    for call in (kms.disable_key, kms.schedule_key_deletion, kms.get_key_policy, kms.list_grants):
        assert refused(call, KeyId=arn) == ("InvalidArnException", "Key Aliases are not supported for this operation")
        assert refused(call, KeyId=name) == ("NotFoundException", f"Invalid keyId '{name}'")
    assert kms.describe_key(KeyId=name)["KeyMetadata"]["KeyState"] == "Enabled"


def test_lambdas_own_key_is_there_when_it_is_asked_for_and_nobody_may_change_it(kms: Any) -> None:
    described = kms.describe_key(KeyId="alias/aws/lambda")["KeyMetadata"]
    assert described["KeyManager"] == "AWS"
    assert kms.describe_key(KeyId="alias/aws/lambda")["KeyMetadata"] == described
    assert kms.get_key_rotation_status(KeyId=described["KeyId"])["KeyRotationEnabled"] is True
    for call in (kms.disable_key, kms.schedule_key_deletion):
        code, message = refused(call, KeyId=described["KeyId"])
        assert code == "AccessDeniedException"
        assert message.startswith(f"User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform: kms:")
        assert "because no resource-based policy allows the kms:" in message
    assert refused(kms.encrypt, KeyId="alias/aws/lambda", Plaintext=b"p")[0] == "AccessDeniedException"
    assert refused(kms.describe_key, KeyId="alias/aws/s3")[0] == "NotFoundException"


def test_a_key_policy_is_kept_to_the_letter(kms: Any, key: Any) -> None:
    default = json.loads(kms.get_key_policy(KeyId=key["KeyId"])["Policy"])
    assert default["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert kms.list_key_policies(KeyId=key["KeyId"])["PolicyNames"] == ["default"]
    text = policy(allow("*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})).replace(",", " , ")
    kms.put_key_policy(KeyId=key["KeyId"], Policy=text, PolicyName="default")
    assert kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"] == text
    assert refused(kms.get_key_policy, KeyId=key["KeyId"], PolicyName="other") == (
        "NotFoundException",
        "No such policy exists: other",
    )


def test_wrong_policies_are_refused_and_change_nothing(kms: Any, key: Any) -> None:
    before = kms.get_key_policy(KeyId=key["KeyId"])["Policy"]
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    locking = policy(allow("Decrypt", Principal=root))
    wrong = {
        "{": "Syntax errors in policy.",
        policy(
            allow("*", Principal={"AWS": "nobody"})
        ): "Policy contains a statement with one or more invalid principals.",
        policy(allow("*")): "Missing required field Principal",
        locking: "The new key policy will not allow you to update the key policy in the future.",
    }
    for text, message in wrong.items():
        assert refused(kms.put_key_policy, KeyId=key["KeyId"], Policy=text) == (
            "MalformedPolicyDocumentException",
            message,
        )
        assert refused(kms.create_key, Policy=text) == ("MalformedPolicyDocumentException", message)
    large = policy(allow("*", Principal=root, Sid="s" * 32_768))
    assert refused(kms.put_key_policy, KeyId=key["KeyId"], Policy=large)[0] == "LimitExceededException"
    assert kms.get_key_policy(KeyId=key["KeyId"])["Policy"] == before
    kms.put_key_policy(KeyId=key["KeyId"], Policy=locking, BypassPolicyLockoutSafetyCheck=True)
    assert refused(kms.put_key_policy, KeyId=key["KeyId"], Policy=before)[0] == "AccessDeniedException"


def test_tags_are_added_changed_and_taken_away(kms: Any, key: Any) -> None:
    kms.tag_resource(KeyId=key["KeyId"], Tags=[{"TagKey": name, "TagValue": "1"} for name in "ba"])
    kms.tag_resource(KeyId=key["KeyId"], Tags=[{"TagKey": "a", "TagValue": "2"}])
    kms.untag_resource(KeyId=key["KeyId"], TagKeys=["b", "absent"])
    assert kms.list_resource_tags(KeyId=key["KeyId"])["Tags"] == [{"TagKey": "a", "TagValue": "2"}]
    many = [{"TagKey": str(number), "TagValue": ""} for number in range(50)]
    assert refused(kms.tag_resource, KeyId=key["KeyId"], Tags=many)[0] == "LimitExceededException"
    twice = [{"TagKey": "a", "TagValue": "x"}] * 2
    assert refused(kms.tag_resource, KeyId=key["KeyId"], Tags=twice)[0] == "TagException"
    own = [{"TagKey": "aws:x", "TagValue": "x"}]
    assert refused(kms.tag_resource, KeyId=key["KeyId"], Tags=own)[0] == "TagException"
    assert kms.list_resource_tags(KeyId=key["KeyId"])["Tags"] == [{"TagKey": "a", "TagValue": "2"}]


def test_a_marker_of_somewhere_else_is_refused(kms: Any) -> None:
    assert refused(kms.list_keys, Marker="AAAA") == ("InvalidMarkerException", "Invalid marker")


def test_what_breaks_the_model_is_refused_before_anything_else(clients: Clients) -> None:
    kms = clients.of("kms")
    code, message = refused(kms.list_keys, Limit=1001)
    assert code == "ValidationException"
    assert message.startswith("1 validation error detected: Value '1001' at 'limit' failed to satisfy constraint")
