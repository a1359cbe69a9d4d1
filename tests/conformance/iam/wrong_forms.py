"""Requests of IAM that are right, and what makes each of them wrong: whatever is done, it must be refused."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from urllib.parse import quote

from tests.conformance.iam.making import ACCOUNT, TRUST, allowing

Fields = list[tuple[str, str]]
VERSION = "2010-05-08"
_TEXTS_OF_NO_NAME = ("", " ", "a b", "a/b", "\u00e9", "\0", "a\nb", "\u202e", "\ud7ff", "x" * 129, "x" * 200_000, "%00")
_NO_NUMBERS = ("", "0", "-1", "1001", "1.5", "1e3", "ten", "9" * 500, "\u0663", " 7", "0x10", "null", "true", "1_0")
_NO_MARKERS = ("", "x", "A" * 320, "A" * 321, "\0", "\u00e9" * 9, "../../etc/passwd")
_NO_ARNS = (
    "",
    "arn",
    "x" * 19,
    "x" * 2049,
    "arn:aws:iam::aws:policy/NoSuchPolicyAtAll",
    f"arn:aws:iam::{ACCOUNT}:policy/",
)
_NO_PATHS = ("", "a", "/a", "a/", "/ /", "/\u00e9/", "/" + "x" * 511 + "/", "/\0/")
_NO_DOCUMENTS = (
    *("", "policy.json", "null", "[]", "{}", '"text"', "{'a': 1}", "\0", "{\0}", "\ufeff{}", "NaN", "\U0001f600"),
    *("[" * 100_000, '{"a":' * 20_000, "[" * 60_000 + "]" * 60_000, "9" * 100_000, "x" * 131_073, " " * 131_072),
    *('{"Statement": []}', '{"Statement": {"Effect": "Allow", "Effect": "Deny"}}', '{"Statement": "\\ud800"}'),
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}} {}',
    json.dumps(
        {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"a": 0.0}}}}
    ).replace("0.0", "1e999"),
    json.dumps({"Statement": [{"Effect": "Allow", "Action": ["*"] * 9, "Resource": [["*"]]}]}),
    json.dumps({"Statement": {"Effect": "Allow", "Action": {"*": "*"}, "Resource": "*", "Principal": None}}),
)
_WRONG_BY_MEMBER: dict[str, Sequence[str]] = {
    **dict.fromkeys(("UserName", "GroupName", "RoleName", "PolicyName"), _TEXTS_OF_NO_NAME),
    **dict.fromkeys(("PolicyArn", "PermissionsBoundary"), _NO_ARNS),
    **dict.fromkeys(("PolicyDocument", "AssumeRolePolicyDocument"), _NO_DOCUMENTS),
    **dict.fromkeys(("Path", "NewPath"), _NO_PATHS),
    "PathPrefix": [path for path in _NO_PATHS if path != "/a"],
    **dict.fromkeys(("MaxItems", "MaxSessionDuration"), _NO_NUMBERS),
    "Marker": _NO_MARKERS,
    "Status": ("", "active", "Idle", "\0"),
    "Scope": ("", "all", "x" * 70_000),
    "SetAsDefault": ("", "yes", "1", "True"),
    "VersionId": ("", "1", "v0", "v-1", "v1\n", "v" + "9" * 100_000),
    "AccessKeyId": ("", "short", "x" * 129, "\0" * 20, "LKIAAAAAAAAAAAAAAAAA"),
    "Tags.member.1.Key": ("", "x" * 129, "a#b", "aws:a", "\0", "\u202e"),
    "Tags.member.1.Value": ("x" * 257, "\0", "a#b"),
    "TagKeys.member.1": ("", "x" * 129, "\0"),
}
_OPTIONAL = frozenset(
    ("Path", "NewPath", "PathPrefix", "MaxItems", "MaxSessionDuration", "Scope", "SetAsDefault", "PermissionsBoundary")
)
_QUERY_BYTES = 4000


@dataclass(frozen=True)
class Standing:
    """What there is on the server."""

    user: str
    group: str
    role: str
    policy_arn: str
    key_id: str


@dataclass(frozen=True)
class Wrong:
    """What is sent: as a form in the body, or in the query."""

    label: str
    form: bytes
    in_query: bool = False


def right_requests(here: Standing, new_name: str) -> list[Fields]:
    """All of them succeed, one after the other."""
    trust, document = json.dumps(TRUST), allowing("s3:*")
    tags = [("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "blue")]
    user, group, role = ("UserName", here.user), ("GroupName", here.group), ("RoleName", here.role)
    arn = ("PolicyArn", here.policy_arn)
    key = ("AccessKeyId", here.key_id)
    asked: list[tuple[str, Fields]] = [
        ("CreateUser", [("UserName", new_name), ("Path", "/a/"), ("PermissionsBoundary", here.policy_arn), *tags]),
        ("CreateGroup", [("GroupName", new_name), ("Path", "/a/")]),
        (
            "CreateRole",
            [("RoleName", new_name), ("AssumeRolePolicyDocument", trust), ("MaxSessionDuration", "3600"), *tags],
        ),
        ("CreatePolicy", [("PolicyName", new_name), ("PolicyDocument", document), ("Path", "/a/"), *tags]),
        ("CreatePolicyVersion", [arn, ("PolicyDocument", document), ("SetAsDefault", "true")]),
        ("SetDefaultPolicyVersion", [arn, ("VersionId", "v2")]),
        ("DeletePolicyVersion", [arn, ("VersionId", "v1")]),
        ("PutUserPolicy", [user, ("PolicyName", "p"), ("PolicyDocument", document)]),
        ("PutGroupPolicy", [group, ("PolicyName", "p"), ("PolicyDocument", document)]),
        ("PutRolePolicy", [role, ("PolicyName", "p"), ("PolicyDocument", document)]),
        ("DeleteUserPolicy", [user, ("PolicyName", "p")]),
        ("AttachUserPolicy", [user, arn]),
        ("AttachRolePolicy", [role, arn]),
        ("PutRolePermissionsBoundary", [role, ("PermissionsBoundary", here.policy_arn)]),
        ("AddUserToGroup", [user, group]),
        ("UpdateAssumeRolePolicy", [role, ("PolicyDocument", trust)]),
        ("UpdateRole", [role, ("MaxSessionDuration", "7200")]),
        ("UpdateUser", [user, ("NewPath", "/b/")]),
        ("TagUser", [user, *tags]),
        ("TagRole", [role, *tags]),
        ("UntagUser", [user, ("TagKeys.member.1", "Team")]),
        ("UpdateAccessKey", [user, key, ("Status", "Inactive")]),
        ("DeleteAccessKey", [user, key]),
        ("ListUsers", [("PathPrefix", "/"), ("MaxItems", "10")]),
        ("ListPolicies", [("Scope", "Local"), ("MaxItems", "10")]),
    ]
    return [[("Action", action), ("Version", VERSION), *members] for action, members in asked]


def form_of(fields: Fields) -> bytes:
    return "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in fields).encode()


def _member(fields: Fields, rng: Random) -> int:
    """The place of one of the operation's own."""
    return rng.randrange(2, len(fields))


def _replaced(fields: Fields, place: int, name: str, value: str) -> Fields:
    return [(name, value) if number == place else field for number, field in enumerate(fields)]


def wrong_value(fields: Fields, rng: Random) -> Wrong:
    place = _member(fields, rng)
    name = fields[place][0]
    value = rng.choice(_WRONG_BY_MEMBER[name])
    return Wrong(f"{name}={value[:30]!r}", form_of(_replaced(fields, place, name, value)), rng.random() < 0.05)


def without_a_required_member(fields: Fields, rng: Random) -> Wrong:
    places = [number for number in range(2, len(fields)) if fields[number][0] not in _OPTIONAL]
    places = [number for number in places if not fields[number][0].startswith("Tags") or fields[0][1].startswith("Tag")]
    if not places:
        return wrong_value(fields, rng)
    place = rng.choice(places)
    rest = [field for number, field in enumerate(fields) if number != place]
    return Wrong(f"without {fields[place][0]}", form_of(rest))


def wrong_type(fields: Fields, rng: Random) -> Wrong:
    place = _member(fields, rng)
    name, value = fields[place]
    first = name.partition(".")[0]
    wrong = rng.choice(
        [f"{name}.member.1", f"{name}.x", f"{name}.", f"{first}{'.member.1' * 40}", f"{name}.entry.1.key"]
        if first == name
        else [
            first,
            f"{first}.member",
            f"{first}.member.one.Key",
            f"{first}.member.-1",
            f"{first}.member.{'9' * 30}.Key",
        ]
    )
    both = [*fields, (wrong, value)] if rng.random() < 0.5 else _replaced(fields, place, wrong, value)
    return Wrong(f"{wrong[:40]} for {name}", form_of(both))


def wrong_action(fields: Fields, rng: Random) -> Wrong:
    action = rng.choice(
        ["", "createuser", "GetCallerIdentity", "Create User", "\0", "x" * 100_000, "../ListUsers", "*"]
    )
    return Wrong(f"Action={action[:30]!r}", form_of([("Action", action), *fields[1:]]), rng.random() < 0.2)


def wrong_version(fields: Fields, rng: Random) -> Wrong:
    version = rng.choice(["", "2010-05-09", "2011-06-15", "latest", "\0", "2010-05-08 "])
    return Wrong(f"Version={version!r}", form_of(_replaced(fields, 1, "Version", version)))


def given_twice(fields: Fields, rng: Random) -> Wrong:
    name, value = rng.choice(fields)
    again = value if rng.random() < 0.5 else "another"
    return Wrong(f"{name} twice", form_of([*fields, (name, again)]))


def half_encoded(fields: Fields, rng: Random) -> Wrong:
    form = form_of(fields)
    bad = rng.choice([b"%", b"%z", b"%4", b"%zz", b"%ff", b"%c3%28", b"%u0041", b"\xff", b"\xc3\xa9"])
    return Wrong(f"{bad!r} in the form", form + bad)


def no_form(fields: Fields, rng: Random) -> Wrong:
    form = rng.choice(
        [
            *(b"", b"Action", b"&", b"=", b"{}", b"<Action>ListUsers</Action>", b"\0" * 100, bytes(range(256))),
            json.dumps(dict(fields)).encode(),
            form_of(fields) + b"&" + b"&".join(b"f%d=1" % number for number in range(5001)),
            form_of(fields) + b"&junk",
            form_of(fields).replace(b"&", b";"),
            form_of(fields) + b"&Padding=" + b"x" * 1024 * 1024,
        ]
    )
    return Wrong(f"{form[:30]!r}", form)


WAYS: list[tuple[Callable[[Fields, Random], Wrong], int]] = [
    (wrong_value, 12),
    (without_a_required_member, 3),
    (wrong_type, 4),
    (wrong_action, 2),
    (wrong_version, 1),
    (given_twice, 2),
    (half_encoded, 2),
    (no_form, 2),
]
"""With how often each is taken."""


def wrong(requests: Sequence[Fields], rng: Random) -> Wrong:
    """One of the requests made wrong in one way."""
    fields = rng.choice(requests)
    (way,) = rng.choices([way for way, _ in WAYS], [weight for _, weight in WAYS])
    made = way(fields, rng)
    in_query = made.in_query and len(made.form) < _QUERY_BYTES
    return Wrong(f"{fields[0][1]}: {made.label}", made.form, in_query)
