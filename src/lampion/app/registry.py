"""Builds the built-in registry: its content's shelves, and the doors to it."""

import hmac
from dataclasses import dataclass

from lampion.app.rooms import Ports, Stores, Work
from lampion.aws.model import load_service
from lampion.aws.operation import collect
from lampion.aws.pagination import Markers
from lampion.config import Settings
from lampion.gateway.authentication import Authentication, OpenAuthentication, SignedAuthentication
from lampion.gateway.judge import Judge
from lampion.gateway.target_api import TargetApi
from lampion.registry.access import OpenAccess, RegistryAccess, TokenAccess
from lampion.registry.door import RegistryDoor
from lampion.registry.ecr import EcrApi
from lampion.registry.parameters import refusal
from lampion.registry.permissions import RepositoryPermissions
from lampion.registry.shelves import Shelves
from lampion.registry.tokens import RegistryTokens
from lampion.registry.uploads import Uploads


@dataclass(frozen=True, slots=True)
class BuiltInRegistry:
    """One registry, whichever door leads to it."""

    settings: Settings
    ports: Ports
    stores: Stores
    work: Work
    shelves: Shelves
    uploads: Uploads
    tokens: RegistryTokens

    def door(self, judge: Judge, *, is_open: bool, scheme: str) -> RegistryDoor:
        """For clients of images."""
        settings, access, directory = self.settings, self._token_access(scheme), self.work.keys.directory
        if is_open:
            check = OpenAuthentication(account_id=settings.account_id, directory=directory)
            access = OpenAccess(check, directory, settings.account_id)
        return RegistryDoor(
            access=access,
            permissions=self._permissions(judge),
            shelves=self.shelves,
            uploads=self.uploads,
            region=settings.region,
        )

    def api(self, judge: Judge, *, is_open: bool, scheme: str) -> TargetApi:
        """ECR."""
        service, settings, stores = load_service("ecr"), self.settings, self.stores
        secret = stores.server_secret.value.encode()
        ecr = EcrApi(
            content=stores.images.content,
            resources=stores.resources,
            tokens=self.tokens,
            garbage=self.work.garbage,
            markers=Markers(hmac.digest(secret, b"registry pagination markers", "sha256")),
            clock=self.ports.clock,
        )
        return TargetApi(
            service=service,
            handlers=collect(service, [ecr]),
            authentication=self._authentication(is_open=is_open),
            region=settings.region,
            scheme=scheme,
            judge=judge,
            invalid=refusal,
            check_operation=self._permissions(judge).check_operation,
        )

    def _permissions(self, judge: Judge) -> RepositoryPermissions:
        return RepositoryPermissions(judge, self.stores.resources, self.settings.region)

    def _token_access(self, scheme: str) -> RegistryAccess:
        return TokenAccess(
            tokens=self.tokens,
            keys=self.work.keys,
            clock=self.ports.clock,
            region=self.settings.region,
            scheme=scheme,
        )

    def _authentication(self, *, is_open: bool) -> Authentication:
        if is_open:
            return OpenAuthentication(account_id=self.settings.account_id, directory=self.work.keys.directory)
        return SignedAuthentication(
            keys=self.work.keys,
            region=self.settings.region,
            clock=self.ports.clock,
            service="ecr",
        )


def built_in_registry(settings: Settings, ports: Ports, stores: Stores, work: Work) -> BuiltInRegistry:
    content, secret = stores.images.content, stores.server_secret.value.encode()
    return BuiltInRegistry(
        settings,
        ports,
        stores,
        work,
        Shelves(content, stores.resources, work.garbage, ports.clock),
        Uploads(content, ports.clock, ports.rng),
        RegistryTokens(hmac.digest(secret, b"registry authorization tokens", "sha256")),
    )
