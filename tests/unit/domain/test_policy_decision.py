"""What policies say to a request."""

from typing import Any

import pytest

from lampion.domain.policy_decision import Asked, Decision, account_names, decide

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"
SAYS_YES: dict[str, Any] = {"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": ARN}


def asked(account_id: str | None = None, **more: Any) -> Asked:
    names = frozenset() if account_id is None else account_names(account_id)
    return Asked(**{"action": "lambda:InvokeFunction", "resource": ARN, "names": names, "context": {}, **more})


def test_silence_is_no_yes_and_a_denial_outweighs() -> None:
    denial = {**SAYS_YES, "Effect": "Deny"}
    assert decide([], asked()) is Decision.SILENT
    assert decide([SAYS_YES], asked()) is Decision.ALLOWED
    assert decide([SAYS_YES, denial], asked()) is Decision.DENIED
    assert decide([denial, SAYS_YES, SAYS_YES], asked()) is Decision.DENIED


@pytest.mark.parametrize(
    ("change", "applies"),
    [
        ({"Action": "LAMBDA:invokefunction"}, True),
        ({"Action": ["lambda:GetFunction", "lambda:Invoke*"]}, True),
        ({"Action": "*"}, True),
        ({"Action": "lambda:InvokeFunctionUrl"}, False),
        ({"Action": "lambda:Invoke"}, False),
        ({"Resource": "*"}, True),
        ({"Resource": ["arn:aws:lambda:*:*:function:g", f"{ARN[:-1]}?"]}, True),
        ({"Resource": f"{ARN}:live"}, False),
        ({"Resource": ARN.upper()}, False),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"AWS": ["1", "111111111111"]}}, True),
        ({"Principal": {"AWS": "arn:aws:iam::111111111111:root"}}, True),
        ({"Principal": {"AWS": "222222222222"}}, False),
        ({"Principal": {"Service": "111111111111"}}, False),
        ({"Condition": {"Bool": {"x": "true"}}}, False),
        ({"Condition": {"Null": {"x": "true"}}}, True),
    ],
)
def test_a_statement_applies_when_all_its_elements_do(change: dict[str, Any], applies: bool) -> None:
    decision = decide([{**SAYS_YES, **change}], asked("111111111111"))
    assert decision is (Decision.ALLOWED if applies else Decision.SILENT)


@pytest.mark.parametrize(
    ("element", "excepted", "other"),
    [
        ("Action", "lambda:Invoke*", "lambda:GetFunction"),
        ("Resource", ARN, f"{ARN}:live"),
        ("Principal", {"AWS": "111111111111"}, {"AWS": "222222222222"}),
    ],
)
def test_the_opposite_of_an_element_applies_to_all_others(element: str, excepted: Any, other: Any) -> None:
    rest = {name: value for name, value in SAYS_YES.items() if name != element}
    assert decide([{**rest, f"Not{element}": excepted}], asked("111111111111")) is Decision.SILENT
    assert decide([{**rest, f"Not{element}": other}], asked("111111111111")) is Decision.ALLOWED


def test_nobody_in_particular_is_everybody_and_no_account() -> None:
    assert decide([SAYS_YES], asked()) is Decision.ALLOWED
    assert decide([{**SAYS_YES, "Principal": {"AWS": ["111111111111"]}}], asked()) is Decision.SILENT
