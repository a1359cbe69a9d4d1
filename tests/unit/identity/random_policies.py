"""Random policies and requests from a small world, so that they meet often."""

import random
from collections.abc import Sequence
from typing import Any

HOME, ABROAD = "111111111111", "222222222222"
ROLE = f"arn:aws:iam::{HOME}:role/r"
WHO = (
    {"kind": "root", "account": HOME, "arn": f"arn:aws:iam::{HOME}:root"},
    {"kind": "user", "account": HOME, "arn": f"arn:aws:iam::{HOME}:user/ann"},
    {"kind": "user", "account": ABROAD, "arn": f"arn:aws:iam::{ABROAD}:user/bob"},
    {"kind": "session", "account": HOME, "arn": f"arn:aws:sts::{HOME}:assumed-role/r/s", "role": ROLE},
    {"kind": "service", "arn": "s3.amazonaws.com"},
    {"kind": "nobody"},
)
ACTIONS = ("lambda:InvokeFunction", "lambda:GetFunction", "kms:Decrypt")
RESOURCES = (
    f"arn:aws:lambda:eu-west-1:{HOME}:function:f",
    f"arn:aws:lambda:eu-west-1:{HOME}:function:f:live",
    f"arn:aws:kms:eu-west-1:{HOME}:key/k",
)
_ACTION_PATTERNS = ("*", "*", "lambda:*", "LAMBDA:invoke*", "lambda:GetFunction", "kms:De?rypt", "*:*Function")
_RESOURCE_PATTERNS = ("*", "*", *RESOURCES, "arn:aws:lambda:*:*:function:f*", f"arn:*:kms:*:{HOME}:*")
_NAMES = (
    *({"AWS": name} for who in WHO if (name := who.get("arn")) and who["kind"] != "service"),
    {"AWS": HOME},
    {"AWS": ROLE},
    {"AWS": [f"arn:aws:iam::{ABROAD}:root", ROLE]},
    {"AWS": [f"arn:aws:sts::{HOME}:assumed-role/r/s", ROLE, HOME]},
    {"Service": ["s3.amazonaws.com", "events.amazonaws.com"]},
    {"AWS": "*"},
    "*",
)
_CONDITIONS: tuple[dict[str, Any], ...] = (
    {"StringEquals": {"aws:SourceAccount": HOME}},
    {"StringEquals": {"aws:SourceAccount": [ABROAD, HOME]}},
    {"StringNotEquals": {"aws:SourceAccount": HOME}},
    {"StringLikeIfExists": {"aws:username": "a*"}},
    {"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "stage"]}},
    {"ForAnyValue:StringLike": {"aws:TagKeys": "t*"}},
    {"Null": {"aws:SourceAccount": "true"}},
    {"Null": {"aws:TagKeys": "false"}, "StringNotEquals": {"aws:username": "bob"}},
)
_VALUES = {
    "aws:sourceaccount": ([HOME], [ABROAD]),
    "aws:username": (["ann"], ["bob"]),
    "aws:tagkeys": (["team"], ["team", "stage"], ["cost"], []),
}


def some(dice: random.Random, those: Sequence[Any]) -> Any:
    """One, or a list of one or two."""
    return dice.choice(those) if dice.random() < 0.6 else dice.sample(those, dice.choice((1, 2)))


def statement(dice: random.Random, *, of_resource: bool) -> dict[str, Any]:
    """An element and its opposite are equally right, the opposite is rarer."""

    def name(element: str) -> str:
        return f"Not{element}" if dice.random() < 0.15 else element

    made = {
        "Effect": "Deny" if dice.random() < 0.1 else "Allow",
        name("Action"): some(dice, _ACTION_PATTERNS),
        name("Resource"): some(dice, _RESOURCE_PATTERNS),
    }
    if of_resource:
        made[name("Principal")] = dice.choice(_NAMES)
    if dice.random() < 0.25:
        made["Condition"] = dice.choice(_CONDITIONS)
    return made


def document(dice: random.Random, *, of_resource: bool = False) -> dict[str, Any]:
    statements = [statement(dice, of_resource=of_resource) for _ in range(dice.randint(1, 3))]
    alone = len(statements) == 1 and dice.random() < 0.5
    return {"Version": "2012-10-17", "Statement": statements[0] if alone else statements}


def known(dice: random.Random) -> dict[str, list[str]]:
    return {key: dice.choice(values) for key, values in _VALUES.items() if dice.random() < 0.6}
