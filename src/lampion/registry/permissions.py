"""Whether a caller may do something with a repository: by his policies as they are now."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from lampion.aws.errors import AccessDeniedException
from lampion.http.message import RequestHead
from lampion.identity.actors import Actor
from lampion.identity.request_facts import Facts
from lampion.identity.statements import Policy
from lampion.identity.tag_facts import OF_RESOURCE, tag_facts
from lampion.registry.actions import asked_of_ecr, repository_arn
from lampion.registry.errors import denied
from lampion.registry.shelves import Shelf
from lampion.store.cached_resources import CachedResources
from lampion.store.repositories import REPOSITORIES, repository_place


class Judge(Protocol):
    """Asks the evaluation of policies."""

    def check(
        self,
        actor: Actor,
        wanted: tuple[str, str],
        head: RequestHead,
        facts: Facts,
        of_resource: tuple[Sequence[Policy], str | None],
    ) -> object:
        """Raises AccessDeniedException."""


class RepositoryPermissions:
    """For both doors to repositories: ECR's API and the distribution API."""

    def __init__(self, judge: Judge, resources: CachedResources, region: str) -> None:
        self._judge = judge
        self._resources = resources
        self._region = region

    async def check(self, actor: Actor, actions: Sequence[str], shelf: Shelf, head: RequestHead) -> None:
        """Raises RegistryError."""
        facts = await self._facts(shelf.account_id, shelf.name) if actions else {}
        arn = repository_arn(shelf.account_id, shelf.region, shelf.name)
        for action in actions:
            try:
                self._judge.check(actor, (f"ecr:{action}", arn), head, facts, ((), shelf.account_id))
            except AccessDeniedException as error:
                raise denied(error.message) from None

    async def check_operation(
        self, actor: Actor, operation: str, members: Mapping[str, Any], head: RequestHead, facts: Facts
    ) -> None:
        """As gateway.target_api.CheckOperation: `facts` are those of the request. Raises AccessDeniedException."""
        account_id = actor.caller.account_id
        assert account_id is not None, "it was signed"
        for arn, named in asked_of_ecr(operation, members, account_id, self._region):
            owner, name = named or (account_id, "")
            known = {**await self._facts(owner, name), **facts} if name else facts
            self._judge.check(actor, (f"ecr:{operation}", arn), head, known, ((), owner))

    async def _facts(self, account_id: str, name: str) -> dict[str, Sequence[str]]:
        """Condition keys about the repository, if there is one."""
        place = repository_place(account_id, self._region, name)
        repository = await self._resources.get(REPOSITORIES, place, keeps_absent=False)
        tags = {} if repository is None else repository.tags
        prefixes = (OF_RESOURCE, "ecr:resourcetag/")
        return {key: value for prefix in prefixes for key, value in tag_facts(prefix, tags.items()).items()}
