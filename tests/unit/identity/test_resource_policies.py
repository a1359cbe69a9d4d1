"""A resource's policy is read once, and again when it has changed."""

from dataclasses import replace

from lampion.domain.arn import FunctionKey
from lampion.domain.policy import Policy
from lampion.identity.resource_policies import ResourcePolicies

STATEMENT = {"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": "*"}
STORED = Policy(
    key=FunctionKey("123456789012", "us-east-1", "f"),
    qualifier=None,
    document={"Version": "2012-10-17", "Statement": [STATEMENT]},
    revision_id="1",
)


def test_one_that_has_changed_is_read_again() -> None:
    policies = ResourcePolicies()
    read = policies.read(STORED)
    assert policies.read(STORED) is read
    changed = replace(STORED, revision_id="2", document={"Statement": [{**STATEMENT, "Effect": "Deny"}]})
    assert policies.read(changed).statements[0].denies
    assert not policies.read(STORED).statements[0].denies


def test_of_many_the_oldest_are_forgotten() -> None:
    policies = ResourcePolicies(capacity=2)
    read = policies.read(STORED)
    for number in range(2, 4):
        policies.read(replace(STORED, revision_id=str(number)))
    assert policies.read(STORED) is not read
