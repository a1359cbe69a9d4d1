"""Policies in and on users, groups and roles: put, attached, read, listed, removed, and refused in IAM's words."""

import json
from typing import Any

import pytest

from tests.conformance.iam.making import ACCOUNT, KINDS, Made, allowing, call, document, statement
from tests.conformance.refusals import refusal, refused

AWSS = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
ABSENT = f"arn:aws:iam::{ACCOUNT}:policy/absent"
MALFORMED = {
    "policy.json": "Syntax errors in policy.",
    "{}": "Syntax errors in policy.",
    document(): "Syntax errors in policy.",
    document(statement("s3:*", Principal="*")): "Policy document should not specify a principal.",
    allowing("s3"): "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
    allowing("s3:*", resource="bucket"): 'Resource bucket must be in ARN format or "*".',
    allowing("s3:*", effect="Permit"): "Syntax errors in policy.",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_policy_in_an_identity(iam: Any, made: Made, kind: str) -> None:
    lower, name = kind.lower(), made.identity(kind)
    named: dict[str, Any] = {f"{kind}Name": name}
    first, second = allowing("s3:*"), allowing("lambda:*", resource=f"arn:aws:lambda:*:*:*:caf\u00e9 & <{'x' * 9}>%20")
    assert call(iam, f"put_{lower}_policy", **named, PolicyName="p", PolicyDocument=first) == {}
    getattr(iam, f"put_{lower}_policy")(**named, PolicyName="q", PolicyDocument=first)
    getattr(iam, f"put_{lower}_policy")(**{f"{kind}Name": name.upper()}, PolicyName="p", PolicyDocument=second)
    got = call(iam, f"get_{lower}_policy", **{f"{kind}Name": name.upper()}, PolicyName="p")
    assert got == {**named, "PolicyName": "p", "PolicyDocument": json.loads(second)}
    listed = call(iam, f"list_{lower}_policies", **named)
    assert listed == {"PolicyNames": ["p", "q"], "IsTruncated": False}
    assert call(iam, f"delete_{lower}_policy", **named, PolicyName="p") == {}
    missing = (404, "NoSuchEntity", f"The {lower} policy with name p cannot be found.")
    assert refusal(getattr(iam, f"get_{lower}_policy"), **named, PolicyName="p") == missing
    assert refusal(getattr(iam, f"delete_{lower}_policy"), **named, PolicyName="p") == missing


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_policy_is_not_put(iam: Any, made: Made, kind: str) -> None:
    lower, named = kind.lower(), {f"{kind}Name": made.identity(kind)}
    put = getattr(iam, f"put_{lower}_policy")
    for text, message in MALFORMED.items():
        told = (400, "MalformedPolicyDocument", message)
        assert refusal(put, **named, PolicyName="p", PolicyDocument=text) == told
    most = {"User": 2048, "Group": 5120, "Role": 10_240}[kind]
    large = allowing("s3:*", resource="arn:aws:s3:::" + "x" * most)
    told = (409, "LimitExceeded", f"Maximum policy size of {most} bytes exceeded for {lower} {named[f'{kind}Name']}")
    assert refusal(put, **named, PolicyName="p", PolicyDocument=large) == told
    assert getattr(iam, f"list_{lower}_policies")(**named)["PolicyNames"] == []


@pytest.mark.parametrize("kind", KINDS)
def test_managed_policies_are_attached_and_detached(iam: Any, made: Made, kind: str) -> None:
    lower, named = kind.lower(), {f"{kind}Name": made.identity(kind)}
    own = made.policy(PolicyName=f"team-of-{kind}", Path="/team/")
    attach, detach = getattr(iam, f"attach_{lower}_policy"), getattr(iam, f"detach_{lower}_policy")
    for arn in (own, own, AWSS):
        assert call(iam, f"attach_{lower}_policy", **named, PolicyArn=arn) == {}
    shown = [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in (AWSS, own)]
    listed = call(iam, f"list_attached_{lower}_policies", **named)
    assert listed == {"AttachedPolicies": shown, "IsTruncated": False}
    by_path = getattr(iam, f"list_attached_{lower}_policies")(**named, PathPrefix="/service-role/")
    assert by_path["AttachedPolicies"] == shown[:1]
    assert iam.get_policy(PolicyArn=own)["Policy"]["AttachmentCount"] == 1
    entities = iam.list_entities_for_policy(PolicyArn=own)
    assert [one[f"{kind}Name"] for one in entities[f"Policy{kind}s"]] == [named[f"{kind}Name"]]
    assert call(iam, f"detach_{lower}_policy", **named, PolicyArn=own) == {}
    assert refusal(detach, **named, PolicyArn=own) == (404, "NoSuchEntity", f"Policy {own} was not found.")
    assert iam.get_policy(PolicyArn=own)["Policy"]["AttachmentCount"] == 0
    for wrong in (ABSENT, own.replace("/team/", "/"), own.replace(ACCOUNT, "210987654321"), AWSS.replace("Basic", "")):
        told = (404, "NoSuchEntity", f"Policy {wrong} does not exist or is not attachable.")
        assert refusal(attach, **named, PolicyArn=wrong) == told


@pytest.mark.parametrize("kind", KINDS)
def test_ten_managed_policies_are_the_most(iam: Any, made: Made, kind: str) -> None:
    lower, named = kind.lower(), {f"{kind}Name": made.identity(kind)}
    all_of_awss = iam.list_policies(Scope="AWS", MaxItems=11)["Policies"]
    *those, last = (policy["Arn"] for policy in all_of_awss)
    for arn in those:
        getattr(iam, f"attach_{lower}_policy")(**named, PolicyArn=arn)
    told = (409, "LimitExceeded", f"Cannot exceed quota for PoliciesPer{kind}: 10")
    assert refusal(getattr(iam, f"attach_{lower}_policy"), **named, PolicyArn=last) == told


@pytest.mark.parametrize("kind", KINDS)
def test_policies_of_who_is_not_there(iam: Any, kind: str) -> None:
    lower, named = kind.lower(), {f"{kind}Name": "absent"}
    told = (404, "NoSuchEntity", f"The {lower} with name absent cannot be found.")
    for operation, more in (
        (f"put_{lower}_policy", {"PolicyName": "p", "PolicyDocument": allowing("s3:*")}),
        (f"get_{lower}_policy", {"PolicyName": "p"}),
        (f"delete_{lower}_policy", {"PolicyName": "p"}),
        (f"list_{lower}_policies", {}),
        (f"attach_{lower}_policy", {"PolicyArn": AWSS}),
        (f"detach_{lower}_policy", {"PolicyArn": AWSS}),
        (f"list_attached_{lower}_policies", {}),
    ):
        assert refusal(getattr(iam, operation), **named, **more) == told, operation


@pytest.mark.parametrize("kind", ["User", "Role"])
def test_boundaries_are_set_and_taken_away(iam: Any, made: Made, kind: str) -> None:
    lower, named = kind.lower(), {f"{kind}Name": made.identity(kind)}
    arn = made.policy()
    put, delete = (getattr(iam, f"{verb}_{lower}_permissions_boundary") for verb in ("put", "delete"))
    for boundary in (AWSS, arn):
        assert call(iam, f"put_{lower}_permissions_boundary", **named, PermissionsBoundary=boundary) == {}
        shown = getattr(iam, f"get_{lower}")(**named)[kind]["PermissionsBoundary"]
        assert shown == {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    assert (policy["AttachmentCount"], policy["PermissionsBoundaryUsageCount"]) == (0, 1)
    usage = {
        None: [named[f"{kind}Name"]],
        "PermissionsBoundary": [named[f"{kind}Name"]],
        "PermissionsPolicy": [],
    }
    for wanted, names in usage.items():
        more = {} if wanted is None else {"PolicyUsageFilter": wanted}
        found = iam.list_entities_for_policy(PolicyArn=arn, **more)[f"Policy{kind}s"]
        assert [one[f"{kind}Name"] for one in found] == names, wanted
    conflict = (409, "DeleteConflict", "Cannot delete a policy attached to entities.")
    assert refusal(iam.delete_policy, PolicyArn=arn) == conflict
    assert call(iam, f"delete_{lower}_permissions_boundary", **named) == {}
    assert "PermissionsBoundary" not in getattr(iam, f"get_{lower}")(**named)[kind]
    assert refused(delete, **named)[0] == "NoSuchEntity"
    told = (404, "NoSuchEntity", f"Policy {ABSENT} does not exist or is not attachable.")
    assert refusal(put, **named, PermissionsBoundary=ABSENT) == told
    nobody = (404, "NoSuchEntity", f"The {lower} with name absent cannot be found.")
    assert refusal(put, **{f"{kind}Name": "absent"}, PermissionsBoundary=arn) == nobody
    assert refusal(delete, **{f"{kind}Name": "absent"}) == nobody
