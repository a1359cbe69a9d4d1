"""Who may do what with a repository: its tags decide where policies ask for them, at both doors."""

from dataclasses import replace
from typing import Any

import pytest

from lampion.aws.errors import AccessDeniedException
from lampion.clock.virtual import VirtualClock
from lampion.domain.iam.identity import IdentityKind
from lampion.domain.image import Repository
from lampion.gateway.judge import Judge
from lampion.http.message import RequestHead
from lampion.identity.directory import Directory
from lampion.registry.errors import RegistryError
from lampion.registry.permissions import RepositoryPermissions
from lampion.registry.shelves import Shelf
from lampion.store.repositories import REPOSITORIES
from tests.identities import ACCOUNT, allowing, identity, keep, resources_in_memory

REGION = "eu-west-1"
HEAD = RequestHead("GET", "/v2/", "", {}, 0)


def of_team(name: str, team: str) -> Repository:
    return Repository(account_id=ACCOUNT, region=REGION, name=name, created_epoch_ms=1, tags={"Team": team})


@pytest.mark.parametrize("key", ["aws:ResourceTag/Team", "ecr:ResourceTag/team"])
async def test_tags_of_the_repository_decide_at_both_doors(key: str) -> None:
    resources = resources_in_memory()
    blue: dict[str, Any] = {"Condition": {"StringEquals": {key: "blue"}}}
    await keep(resources, identity(IdentityKind.USER, "ann", allowing("ecr:*", **blue)))
    ann = await Directory(resources).user(ACCOUNT, "ID-OF-user-ann")
    assert ann is not None
    await resources.change(lambda stored: stored.put(REPOSITORIES, of_team("mine", "blue")))
    await resources.change(lambda stored: stored.put(REPOSITORIES, of_team("other", "red")))
    added = replace(of_team("added", "red"), tags={"Team": "red", "team": "blue"})  # the first of them counts
    await resources.change(lambda stored: stored.put(REPOSITORIES, added))
    judge = Judge(region=REGION, scheme="http", clock=VirtualClock())
    permissions = RepositoryPermissions(judge, resources, REGION)
    await permissions.check(ann, ["PutImage"], Shelf(ACCOUNT, REGION, "mine"), HEAD)
    await permissions.check_operation(ann, "ListImages", {"repositoryName": "mine"}, HEAD, {})
    for name in ("other", "added", "absent"):
        with pytest.raises(RegistryError, match="ecr:PutImage"):
            await permissions.check(ann, ["PutImage"], Shelf(ACCOUNT, REGION, name), HEAD)
        with pytest.raises(AccessDeniedException, match="ecr:ListImages"):
            await permissions.check_operation(ann, "ListImages", {"repositoryName": name}, HEAD, {})
