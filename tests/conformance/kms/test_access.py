"""Who may do what with a key, with boto3: key policies, users' own, conditions, grants, and other accounts."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.kms.clients import ACCOUNT, REGION, Clients, allow, clients_of, policy, refused
from tests.live_server import LiveServer

ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
NOT_THERE = (
    "because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based "
    "policy explicitly denies access"
)


def user_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


def told(name: str, action: str, arn: str, by: str = "identity-based policy") -> tuple[str, str]:
    message = (
        f"User: {user_arn(name)} is not authorized to perform: kms:{action} on resource: {arn} "
        f"because no {by} allows the kms:{action} action"
    )
    return "AccessDeniedException", message


def test_the_default_policy_leaves_it_to_users_own(clients: Clients, kms: Any, key: Any) -> None:
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"p")["CiphertextBlob"]
    none, decrypter = clients.user("kms-none"), clients.user("kms-decrypter", allow("Decrypt", resource=key["Arn"]))
    assert refused(none.decrypt, CiphertextBlob=blob) == told("kms-none", "Decrypt", key["Arn"])
    assert decrypter.decrypt(CiphertextBlob=blob)["Plaintext"] == b"p"
    assert refused(decrypter.encrypt, KeyId=key["KeyId"], Plaintext=b"p") == told(
        "kms-decrypter", "Encrypt", key["Arn"]
    )
    other = kms.create_key()["KeyMetadata"]
    elsewhere = kms.encrypt(KeyId=other["KeyId"], Plaintext=b"p")["CiphertextBlob"]
    assert refused(decrypter.decrypt, CiphertextBlob=elsewhere) == told("kms-decrypter", "Decrypt", other["Arn"])
    assert refused(decrypter.list_keys)[1].endswith("because no identity-based policy allows the kms:ListKeys action")
    assert refused(decrypter.create_key)[0] == "AccessDeniedException"
    absent = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-4000-8000-000000000000"
    assert refused(none.describe_key, KeyId=absent) == told("kms-none", "DescribeKey", absent)


def test_a_policy_without_the_account_leaves_nothing_to_users_own(clients: Clients, kms: Any) -> None:
    all_may = clients.user("kms-all", allow("*"))
    named = clients.user("kms-named")
    text = policy(
        allow("Encrypt", "Decrypt", Principal={"AWS": user_arn("kms-named")}),
        allow("PutKeyPolicy", Principal={"AWS": user_arn("kms-keeper")}),
    )
    key = kms.create_key(Policy=text, BypassPolicyLockoutSafetyCheck=True)["KeyMetadata"]
    blob = named.encrypt(KeyId=key["KeyId"], Plaintext=b"p")["CiphertextBlob"]
    by_policy = "resource-based policy"
    assert refused(all_may.decrypt, CiphertextBlob=blob) == told("kms-all", "Decrypt", key["Arn"], by_policy)
    assert refused(kms.decrypt, CiphertextBlob=blob)[0] == "AccessDeniedException"
    assert named.decrypt(CiphertextBlob=blob)["Plaintext"] == b"p"


def test_a_denial_in_the_key_policy_is_final(clients: Clients, kms: Any, key: Any) -> None:
    user = clients.user("kms-denied", allow("*"))
    denial = {"Effect": "Deny", "Principal": {"AWS": user_arn("kms-denied")}, "Action": "kms:Decrypt", "Resource": "*"}
    blob = user.encrypt(KeyId=key["KeyId"], Plaintext=b"p")["CiphertextBlob"]
    kms.create_grant(KeyId=key["KeyId"], GranteePrincipal=user_arn("kms-denied"), Operations=["Decrypt"])
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(allow("*", Principal=ROOT), denial))
    code, message = refused(user.decrypt, CiphertextBlob=blob)
    assert (code, message.rpartition(" with ")[2]) == (
        "AccessDeniedException",
        "an explicit deny in a resource-based policy",
    )


CONDITIONS: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    (
        "context",
        {"StringEquals": {"kms:EncryptionContext:App": "orders"}},
        {"EncryptionContext": {"App": "orders", "more": "x"}},
        {"EncryptionContext": {"App": "other"}},
    ),
    (
        "context-keys",
        {
            "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["App"]},
            "Null": {"kms:EncryptionContextKeys": "false"},
        },
        {"EncryptionContext": {"App": "x"}},
        {"EncryptionContext": {"App": "x", "other": "y"}},
    ),
]


@pytest.mark.parametrize(("name", "condition", "passing", "failing"), CONDITIONS, ids=[row[0] for row in CONDITIONS])
def test_conditions_on_the_encryption_context(
    clients: Clients, key: Any, name: str, condition: Any, passing: Any, failing: Any
) -> None:
    user = clients.user(f"kms-c-{name}", allow("Encrypt", Condition=condition))
    assert user.encrypt(KeyId=key["KeyId"], Plaintext=b"p", **passing)["CiphertextBlob"]
    assert refused(user.encrypt, KeyId=key["KeyId"], Plaintext=b"p", **failing)[0] == "AccessDeniedException"
    assert refused(user.encrypt, KeyId=key["KeyId"], Plaintext=b"p")[0] == "AccessDeniedException"


def test_conditions_on_aliases_tags_and_account(clients: Clients, kms: Any, key: Any) -> None:
    name = f"alias/conditions/{key['KeyId']}"
    kms.create_alias(AliasName=name, TargetKeyId=key["KeyId"])
    asked = clients.user("kms-ra", allow("Encrypt", Condition={"StringEquals": {"kms:RequestAlias": name}}))
    assert asked.encrypt(KeyId=name, Plaintext=b"p")
    assert refused(asked.encrypt, KeyId=key["KeyId"], Plaintext=b"p")[0] == "AccessDeniedException"
    having = {"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/conditions/*"}}
    has = clients.user("kms-has", allow("Encrypt", Condition=having))
    assert has.encrypt(KeyId=key["KeyId"], Plaintext=b"p")
    tagged = clients.user("kms-tagged", allow("Encrypt", Condition={"StringEquals": {"aws:ResourceTag/team": "a"}}))
    assert refused(tagged.encrypt, KeyId=key["KeyId"], Plaintext=b"p")[0] == "AccessDeniedException"
    kms.tag_resource(KeyId=key["KeyId"], Tags=[{"TagKey": "team", "TagValue": "a"}])
    assert tagged.encrypt(KeyId=key["KeyId"], Plaintext=b"p")
    kms.delete_alias(AliasName=name)
    assert refused(has.encrypt, KeyId=key["KeyId"], Plaintext=b"p")[0] == "AccessDeniedException"


def test_a_ciphertext_is_moved_by_who_may_take_it_from_one_key_and_bring_it_to_the_other(
    clients: Clients, kms: Any, key: Any
) -> None:
    other = kms.create_key()["KeyMetadata"]
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"p")["CiphertextBlob"]
    asked = {"CiphertextBlob": blob, "DestinationKeyId": other["Arn"]}
    takes, brings = allow("ReEncryptFrom", resource=key["Arn"]), allow("ReEncryptTo", resource=other["Arn"])
    assert refused(clients.user("kms-takes", takes).re_encrypt, **asked) == told(
        "kms-takes", "ReEncryptTo", other["Arn"]
    )
    assert refused(clients.user("kms-brings", brings).re_encrypt, **asked) == told(
        "kms-brings", "ReEncryptFrom", key["Arn"]
    )
    assert clients.user("kms-carries", takes, brings).re_encrypt(**asked)["KeyId"] == other["Arn"]
    same = clients.user("kms-same", allow("ReEncrypt*", Condition={"Bool": {"kms:ReEncryptOnSameKey": "true"}}))
    assert same.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key["KeyId"], DestinationEncryptionContext={"a": "b"})
    assert refused(same.re_encrypt, **asked)[0] == "AccessDeniedException"


def test_an_alias_is_changed_by_who_may_so_for_alias_and_key(clients: Clients, kms: Any, key: Any) -> None:
    name = f"alias/both/{key['KeyId']}"
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:{name}"
    alias_only = clients.user("kms-alias-only", allow("CreateAlias", "DeleteAlias", resource=arn))
    key_only = clients.user("kms-key-only", allow("CreateAlias", "DeleteAlias", resource=key["Arn"]))
    both = clients.user("kms-both", allow("CreateAlias", "DeleteAlias", resource=[arn, key["Arn"]]))
    asked = {"AliasName": name, "TargetKeyId": key["KeyId"]}
    assert refused(alias_only.create_alias, **asked) == told("kms-alias-only", "CreateAlias", key["Arn"])
    assert refused(key_only.create_alias, **asked) == told("kms-key-only", "CreateAlias", arn)
    both.create_alias(**asked)
    assert refused(alias_only.delete_alias, AliasName=name)[0] == "AccessDeniedException"
    both.delete_alias(AliasName=name)


def test_a_grant_permits_its_operations_in_its_context_until_it_ends(clients: Clients, kms: Any, key: Any) -> None:
    user = clients.user("kms-grantee")
    constraints = {"EncryptionContextSubset": {"App": "orders"}}
    asked = {
        "KeyId": key["KeyId"],
        "GranteePrincipal": user_arn("kms-grantee"),
        "Operations": ["Encrypt", "DescribeKey"],
        "Constraints": constraints,
        "Name": "g",
    }
    made = kms.create_grant(**asked)
    assert kms.create_grant(**asked)["GrantId"] == made["GrantId"]
    (listed,) = kms.list_grants(KeyId=key["KeyId"])["Grants"]
    assert listed["KeyId"] == key["Arn"]
    assert listed["Constraints"] == constraints
    assert (listed["GrantId"], listed["IssuingAccount"]) == (made["GrantId"], ROOT["AWS"])
    fitting = {"KeyId": key["KeyId"], "Plaintext": b"p", "EncryptionContext": {"app": "orders", "x": "y"}}
    assert user.encrypt(**fitting)
    assert user.describe_key(KeyId=key["KeyId"])
    assert refused(user.encrypt, KeyId=key["KeyId"], Plaintext=b"p")[0] == "AccessDeniedException"
    assert refused(user.generate_data_key, KeyId=key["KeyId"], KeySpec="AES_256")[0] == "AccessDeniedException"
    kms.revoke_grant(KeyId=key["KeyId"], GrantId=made["GrantId"])
    assert refused(user.encrypt, **fitting)[0] == "AccessDeniedException"
    assert refused(kms.revoke_grant, KeyId=key["KeyId"], GrantId=made["GrantId"])[0] == "NotFoundException"


def test_who_got_create_grant_by_a_grant_gives_out_no_more_than_he_has(clients: Clients, kms: Any, key: Any) -> None:
    user = clients.user("kms-giver")
    equals = {"EncryptionContextEquals": {"a": "b"}}
    kms.create_grant(
        KeyId=key["KeyId"],
        GranteePrincipal=user_arn("kms-giver"),
        Operations=["CreateGrant", "Decrypt"],
        Constraints=equals,
    )
    asked = {"KeyId": key["KeyId"], "GranteePrincipal": user_arn("kms-other")}
    assert user.create_grant(**asked, Operations=["Decrypt"], Constraints=equals)
    for more in ({"Operations": ["Decrypt"]}, {"Operations": ["Encrypt"], "Constraints": equals}):
        assert refused(user.create_grant, **asked, **more)[0] == "AccessDeniedException"
    assert len(kms.list_grants(KeyId=key["KeyId"])["Grants"]) == 2


def test_a_grant_is_retired_by_whom_it_names(clients: Clients, kms: Any, key: Any) -> None:
    retiring, stranger = clients.user("kms-retiring"), clients.user("kms-stranger", allow("Decrypt"))
    grantee = user_arn("kms-nobody")
    asked = {"KeyId": key["KeyId"], "GranteePrincipal": grantee, "Operations": ["Decrypt"]}
    by_id = kms.create_grant(**asked, RetiringPrincipal=user_arn("kms-retiring"))
    by_token = kms.create_grant(**asked, RetiringPrincipal=user_arn("kms-retiring"))
    listed = kms.list_retirable_grants(RetiringPrincipal=user_arn("kms-retiring"))["Grants"]
    assert {one["GrantId"] for one in listed} == {by_id["GrantId"], by_token["GrantId"]}
    named = {"KeyId": key["Arn"], "GrantId": by_id["GrantId"]}
    assert refused(stranger.retire_grant, **named)[0] == "AccessDeniedException"
    assert refused(retiring.retire_grant, GrantToken="AAAA")[0] == "InvalidGrantTokenException"
    retiring.retire_grant(**named)
    retiring.retire_grant(GrantToken=by_token["GrantToken"])
    assert kms.list_grants(KeyId=key["KeyId"])["Grants"] == []


def test_a_grantee_retires_what_permits_it_unless_it_is_denied(clients: Clients, kms: Any, key: Any) -> None:
    user = clients.user("kms-retirer", allow("RetireGrant"))
    asked = {"KeyId": key["KeyId"], "GranteePrincipal": user_arn("kms-retirer")}
    plain = kms.create_grant(**asked, Operations=["Decrypt"])
    root = {"KeyId": key["KeyId"], "GranteePrincipal": user_arn("kms-nobody"), "Operations": ["Decrypt"]}
    permitting = kms.create_grant(**asked, Operations=["Decrypt", "RetireGrant"])
    without = clients.user("kms-no-retirer")
    others = kms.create_grant(**{**asked, "GranteePrincipal": user_arn("kms-no-retirer")}, Operations=["Decrypt"])
    assert refused(without.retire_grant, GrantToken=others["GrantToken"])[0] == "AccessDeniedException"
    denial = {
        "Effect": "Deny",
        "Principal": {"AWS": user_arn("kms-retirer")},
        "Action": "kms:RetireGrant",
        "Resource": "*",
    }
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(allow("*", Principal=ROOT), denial))
    code, message = refused(user.retire_grant, GrantToken=permitting["GrantToken"])
    assert (code, "explicit deny" in message) == ("AccessDeniedException", True)
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(allow("*", Principal=ROOT)))
    user.retire_grant(GrantToken=permitting["GrantToken"])
    kms.retire_grant(GrantToken=kms.create_grant(**root)["GrantToken"])  # as the account that gave it
    left = {one["GrantId"] for one in kms.list_grants(KeyId=key["KeyId"])["Grants"]}
    assert left == {plain["GrantId"], others["GrantId"]}


def test_an_alias_is_moved_by_who_may_so_for_both_keys(clients: Clients, kms: Any, key: Any) -> None:
    name, other = f"alias/moved/{key['KeyId']}", kms.create_key()["KeyMetadata"]
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:{name}"
    kms.create_alias(AliasName=name, TargetKeyId=key["KeyId"])
    to_other = clients.user("kms-to-other", allow("UpdateAlias", resource=[arn, other["Arn"]]))
    asked = {"AliasName": name, "TargetKeyId": other["KeyId"]}
    assert refused(to_other.update_alias, **asked) == told("kms-to-other", "UpdateAlias", key["Arn"])
    both = clients.user("kms-moves", allow("UpdateAlias", resource=[arn, other["Arn"], key["Arn"]]))
    both.update_alias(**asked)
    assert kms.describe_key(KeyId=name)["KeyMetadata"]["KeyId"] == other["KeyId"]


def test_wrong_grants_are_refused_and_none_is_left(kms: Any, key: Any) -> None:
    asked = {"KeyId": key["KeyId"], "GranteePrincipal": user_arn("x"), "Operations": ["Decrypt"]}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"GranteePrincipal": "x"}, "InvalidArnException"),
        ({"GranteePrincipal": "arn:aws:iam::1:user/x"}, "InvalidArnException"),
        ({"RetiringPrincipal": "*"}, "ValidationException"),
        ({"Operations": []}, "ValidationException"),
        ({"Operations": ["Sign"]}, "ValidationException"),
        ({"Operations": ["Nonsense"]}, "ValidationException"),
        (
            {"Constraints": {"EncryptionContextEquals": {"a": "b"}, "EncryptionContextSubset": {"a": "b"}}},
            "ValidationException",
        ),
        ({"Constraints": {"EncryptionContextEquals": {"a": "b" * 385}}}, "ValidationException"),
        ({"Constraints": {"EncryptionContextEquals": {str(n): "b" for n in range(9)}}}, "ValidationException"),
    ]
    for members, code in wrong:
        assert refused(kms.create_grant, **{**asked, **members})[0] == code, members
    assert kms.list_grants(KeyId=key["KeyId"])["Grants"] == []


@pytest.fixture(scope="module")
def opened(marked_root: Any) -> Iterator[LiveServer]:
    with LiveServer(data=marked_root / "kms-open", options=("--auth", "open")) as server:
        yield server


def test_another_account_uses_a_key_as_its_policy_says(opened: LiveServer) -> None:
    """On an open server everybody is the root of the account that he names."""
    other_id = "210987654321"
    with clients_of(opened) as clients:
        owner, other = clients.of("kms", ACCOUNT, "x"), clients.of("kms", other_id, "x")
        key = owner.create_key()["KeyMetadata"]
        blob = owner.encrypt(KeyId=key["KeyId"], Plaintext=b"p")["CiphertextBlob"]
        who = f"User: arn:aws:iam::{other_id}:root is not authorized to perform:"
        absent = key["Arn"][:-4] + "0000"
        for arn in (key["Arn"], absent):  # what isn't there looks as what one may not use
            denied = ("AccessDeniedException", f"{who} kms:Encrypt on resource: {arn} {NOT_THERE}")
            assert refused(other.encrypt, KeyId=arn, Plaintext=b"p") == denied
        unread = (
            "AccessDeniedException",
            f"{who} kms:Decrypt on the resource associated with this ciphertext {NOT_THERE}",
        )
        assert refused(other.decrypt, CiphertextBlob=blob) == unread
        assert refused(other.describe_key, KeyId=key["KeyId"])[0] == "NotFoundException"
        assert other.list_keys()["Keys"] == []
        theirs = {"AWS": f"arn:aws:iam::{other_id}:root"}
        text = policy(allow("*", Principal=ROOT), allow("Decrypt", "DisableKey", "DescribeKey", Principal=theirs))
        owner.put_key_policy(KeyId=key["KeyId"], Policy=text)
        assert other.decrypt(CiphertextBlob=blob)["Plaintext"] == b"p"
        assert other.describe_key(KeyId=key["Arn"])["KeyMetadata"]["AWSAccountId"] == ACCOUNT
        assert refused(other.disable_key, KeyId=key["Arn"])[0] == "NotFoundException"
        assert owner.decrypt(CiphertextBlob=blob)["Plaintext"] == b"p"


def test_accounts_have_aliases_of_their_own(opened: LiveServer) -> None:
    with clients_of(opened) as clients:
        arns = set()
        for account_id in (ACCOUNT, "210987654321"):
            kms = clients.of("kms", account_id, "x")
            made = kms.create_key()["KeyMetadata"]["KeyId"]
            kms.create_alias(AliasName="alias/same", TargetKeyId=made)
            assert kms.describe_key(KeyId="alias/same")["KeyMetadata"]["KeyId"] == made
            arns.add(kms.describe_key(KeyId="alias/aws/lambda")["KeyMetadata"]["Arn"])
        assert len(arns) == 2


def test_no_account_makes_lambdas_key_in_another(opened: LiveServer) -> None:
    with clients_of(opened) as clients:
        arn = f"arn:aws:kms:{REGION}:111122223333:alias/aws/lambda"
        assert refused(clients.of("kms", ACCOUNT, "x").describe_key, KeyId=arn)[0] == "AccessDeniedException"
        assert clients.of("kms", "111122223333", "x").list_keys()["Keys"] == []


def test_a_grant_is_enough_for_a_principal_of_another_account(opened: LiveServer) -> None:
    other_id = "210987654321"
    with clients_of(opened) as clients:
        owner, other = clients.of("kms", ACCOUNT, "x"), clients.of("kms", other_id, "x")
        key = owner.create_key()["KeyMetadata"]
        root = f"arn:aws:iam::{other_id}:root"
        owner.create_grant(KeyId=key["KeyId"], GranteePrincipal=root, Operations=["Encrypt"], RetiringPrincipal=root)
        assert other.encrypt(KeyId=key["Arn"], Plaintext=b"p")
        assert refused(other.list_grants, KeyId=key["Arn"])[0] == "AccessDeniedException"
        assert owner.list_retirable_grants(RetiringPrincipal=root)["Grants"] == []
        (retirable,) = other.list_retirable_grants(RetiringPrincipal=root)["Grants"]
        other.retire_grant(KeyId=retirable["KeyId"], GrantId=retirable["GrantId"])
        assert refused(other.encrypt, KeyId=key["Arn"], Plaintext=b"p")[0] == "AccessDeniedException"


def test_nobody_without_a_signature_and_no_wrong_one(clients: Clients) -> None:
    root = clients.server.server
    assert refused(clients.of("kms", root.access_key_id, "x" * 40).list_keys)[0] == "InvalidSignatureException"
    assert refused(clients.of("kms", "AKIAIOSFODNN7EXAMPLE", "x" * 40).list_keys)[0] == "UnrecognizedClientException"


def test_a_client_of_another_region_is_not_served(clients: Clients) -> None:
    elsewhere = clients.of("kms", region="eu-west-3")
    assert refused(elsewhere.list_keys) == (
        "InvalidSignatureException",
        "Credential should be scoped to a valid region.",
    )
    with start_in("eu-west-3", clients) as server, clients_of(server) as others:
        kms = others.of("kms", region="eu-west-3")
        assert kms.create_key()["KeyMetadata"]["Arn"].startswith(f"arn:aws:kms:eu-west-3:{ACCOUNT}:key/")
        assert refused(others.of("kms").list_keys)[0] == "InvalidSignatureException"


def start_in(region: str, clients: Clients) -> LiveServer:
    data = clients.server.data.with_name(f"kms-{region}")
    return LiveServer(data=data, options=("--region", region))
