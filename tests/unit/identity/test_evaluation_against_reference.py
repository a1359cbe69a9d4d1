"""5,000 random policies: the evaluation says what a second, simple one says."""

import random
from typing import Any

from lampion.identity.callers import Caller, CallerKind
from lampion.identity.evaluation import Policies, Request, evaluate
from lampion.identity.statements import read_policy
from tests.unit.identity.random_policies import ACTIONS, HOME, RESOURCES, WHO, document, known
from tests.unit.identity.reference_evaluation import is_allowed

SEEDS = 5_000
_KINDS = {
    "root": CallerKind.ROOT,
    "user": CallerKind.USER,
    "session": CallerKind.ROLE_SESSION,
    "service": CallerKind.SERVICE,
    "nobody": CallerKind.NOBODY,
}


def caller(who: dict[str, str]) -> Caller:
    return Caller(_KINDS[who["kind"]], who.get("account"), who.get("arn", ""), who.get("role"))


def case(seed: int) -> tuple[bool, bool]:
    """What the evaluation says, and what the reference says."""
    dice = random.Random(seed)
    who, action, resource = dice.choice(WHO), dice.choice(ACTIONS), dice.choice(RESOURCES)
    facts = known(dice)
    of_who: dict[str, Any] = {
        "identity": [document(dice) for _ in range(dice.randint(0, 3))],
        "boundary": document(dice) if dice.random() < 0.3 else None,
        "session": [document(dice)] if dice.random() < 0.3 else None,
    }
    of_resource = document(dice, of_resource=True) if dice.random() < 0.7 else None
    must_be_named = dice.random() < 0.3
    verdict = evaluate(
        Request(caller=caller(who), action=action, resource=resource, known=facts),
        Policies(
            identity=[read_policy(one) for one in of_who["identity"]],
            boundary=None if of_who["boundary"] is None else read_policy(of_who["boundary"]),
            session=None if of_who["session"] is None else [read_policy(one) for one in of_who["session"]],
            resource=() if of_resource is None else [read_policy(of_resource)],
            resource_account_id=HOME,
            must_be_named=must_be_named,
        ),
    )
    expected = is_allowed(
        who, action, resource, facts, **of_who, of_resource=of_resource, owner=HOME, must_be_named=must_be_named
    )
    return verdict.is_allowed, expected


def test_both_say_the_same() -> None:
    allowed = 0
    for seed in range(SEEDS):
        said, expected = case(seed)
        assert said == expected, f"replay: case({seed})"
        allowed += said
    assert SEEDS / 8 < allowed < SEEDS * 7 / 8, "they have to differ for this to say anything"
