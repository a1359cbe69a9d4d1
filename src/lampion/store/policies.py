"""Where policies are kept: with their function, under the version or alias they are attached to."""

from typing import Final

from lampion.domain.arn import FunctionKey
from lampion.domain.policy import Policy
from lampion.store.resources import Kind, Place


def policy_place(key: FunctionKey, qualifier: str | None) -> Place:
    return Place.of_function(key, qualifier or "")


POLICIES: Final = Kind("policy", Policy, place=lambda policy: policy_place(policy.key, policy.qualifier))
