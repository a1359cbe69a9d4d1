"""What an operation of STS is about, to IAM."""

from collections.abc import Mapping, Sequence
from typing import Any

from lampion.identity.callers import Caller, federated_user_arn
from lampion.identity.evaluation import Wanted


async def asked_of_sts(
    operation: str, members: dict[str, Any], caller: Caller
) -> tuple[Sequence[Wanted], Mapping[str, Sequence[str]]]:
    """The role that is to be assumed, the federated user who is to be; "*" where there is neither."""
    resource = str(members.get("RoleArn", "*"))
    if operation == "GetFederationToken":
        resource = federated_user_arn(caller.account_id or "", str(members.get("Name", "")))
    tagging = [Wanted("sts:TagSession", resource)] if members.get("Tags") else []
    return [Wanted(f"sts:{operation}", resource), *tagging], {}
