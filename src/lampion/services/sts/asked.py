"""What an operation of STS is about, to IAM."""

from collections.abc import Mapping, Sequence
from typing import Any

from lampion.identity.callers import Caller
from lampion.identity.evaluation import Wanted


async def asked_of_sts(
    operation: str, members: dict[str, Any], caller: Caller
) -> tuple[Sequence[Wanted], Mapping[str, Sequence[str]]]:
    """The role that is to be assumed; "*" where there is none."""
    return [Wanted(f"sts:{operation}", str(members.get("RoleArn", "*")))], {}
