"""Callers: who sends a request, and by which names policies may mean it. Pure.

Docs: IAM user guide, "AWS JSON policy elements: Principal", "IAM identifiers".
"""

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

Name = tuple[str, str]
"""A kind of principal (`AWS`, `Service`) and a name of that kind."""


class CallerKind(Enum):
    """What aws:PrincipalType says."""

    ROOT = "Account"
    USER = "User"
    ROLE_SESSION = "AssumedRole"
    FEDERATED_USER = "FederatedUser"
    SERVICE = "Service"
    NOBODY = "Anonymous"


@dataclass(frozen=True)
class Caller:
    """`arn` is that of the root, the user or the session; a service has its name there, nobody has none.

    `role_arn` is that of the role, or the user, whom the session stands for.
    """

    kind: CallerKind
    account_id: str | None = None
    arn: str = ""
    role_arn: str | None = None

    @cached_property
    def own_names(self) -> frozenset[Name]:
        """Those that mean nobody else."""
        if self.kind is CallerKind.SERVICE:
            return frozenset((("Service", self.arn),))
        if self.kind is CallerKind.ROOT:
            return self.account_names
        return frozenset((("AWS", self.arn),)) if self.arn else frozenset()

    @cached_property
    def role_names(self) -> frozenset[Name]:
        return frozenset() if self.role_arn is None else frozenset((("AWS", self.role_arn),))

    @cached_property
    def account_names(self) -> frozenset[Name]:
        """Those that mean everybody in its account."""
        if self.account_id is None:
            return frozenset()
        return frozenset((("AWS", self.account_id), ("AWS", root_arn(self.account_id))))


NOBODY = Caller(CallerKind.NOBODY)


def root_arn(account_id: str) -> str:
    return f"arn:aws:iam::{account_id}:root"


def federated_user_arn(account_id: str, name: str) -> str:
    return f"arn:aws:sts::{account_id}:federated-user/{name}"


def root(account_id: str) -> Caller:
    return Caller(CallerKind.ROOT, account_id, root_arn(account_id))


def service(name: str) -> Caller:
    """A service of AWS by its name: `s3.amazonaws.com`. It belongs to no account."""
    return Caller(CallerKind.SERVICE, None, name)
