"""Lambda's API as far as it asks who may, with users in memory."""

import dataclasses
import json
from typing import Any

from lampion.aws.errors import AccessDeniedException
from lampion.clock.virtual import VirtualClock
from lampion.domain.arn import FunctionKey
from lampion.domain.iam.identity import Identity, IdentityKind
from lampion.domain.policy import no_policy
from lampion.gateway.authentication import Principal
from lampion.gateway.authorization import Authorization
from lampion.gateway.judge import Judge
from lampion.http.message import RequestHead
from lampion.identity.directory import Directory
from lampion.store.policies import POLICIES
from tests.identities import ACCOUNT, identity, keep, resources_in_memory

REGION = "eu-west-1"
F = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
OTHER_ACCOUNT = "210987654321"


class Api:
    """Lambda's, as far as it asks who may."""

    def __init__(self, *, functions_may_all: bool = False) -> None:
        self.resources = resources_in_memory()
        self.directory = Directory(self.resources, functions_may_all=functions_may_all)
        self.clock = VirtualClock()
        judge = Judge(region=REGION, scheme="http", clock=self.clock)
        self.authorization = Authorization(judge, resources=self.resources, region=REGION)

    async def may(self, principal: Principal, operation: str = "Invoke", **members: Any) -> bool:
        """Whether it is allowed; with a path for each function."""
        asked = {"FunctionName": "f", **members}
        head = RequestHead("POST", f"/{asked['FunctionName']}", asked.get("Qualifier", ""), {}, 0)
        try:
            await self.authorization.check(principal, operation, asked, head)
        except AccessDeniedException as error:
            self.refusal = error.message
            return False
        return True

    async def user(self, *documents: str, **more: Any) -> tuple[Identity, Principal]:
        user = identity(IdentityKind.USER, "ann", *documents, **more)
        await keep(self.resources, user)
        return user, await self.as_user(user)

    async def as_user(self, user: Identity) -> Principal:
        actor = await self.directory.user(user.account_id, user.unique_id)
        assert actor is not None
        return Principal(user.account_id, "key-of-ann", actor)

    async def permit(self, *statements: dict[str, Any], qualifier: str | None = None) -> None:
        """Put a policy on the function."""
        policy = no_policy(FunctionKey(ACCOUNT, REGION, "f"), qualifier)
        changed = dataclasses.replace(
            policy, document={"Statement": list(statements)}, revision_id=json.dumps(statements)
        )
        await self.resources.change(lambda stored: stored.put(POLICIES, changed))


def root(api: Api, account_id: str) -> Principal:
    return Principal(account_id, f"root-of-{account_id}", api.directory.root(account_id))
