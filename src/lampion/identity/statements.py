"""Statements of policies, read once and asked at every request: who, what, with which resource, when. Pure.

Docs: IAM user guide, "IAM JSON policy elements reference".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from lampion.domain.policy_document import matches
from lampion.domain.policy_grammar import Document, texts
from lampion.identity.callers import Caller
from lampion.identity.conditions import Condition, Known, condition, lookup_in, meets
from lampion.identity.patterns import ArnPattern, resource_pattern

_VERSION_WITH_VARIABLES: Final = "2012-10-17"


class Grant(IntEnum):
    """By which of its names a statement means a caller; what that is worth: see evaluation."""

    NONE = 0
    ACCOUNT = 1
    ROLE = 2
    ITSELF = 3


@dataclass(frozen=True, slots=True)
class Principals:
    """The element Principal: names by kind (`AWS`, `Service`, `Federated`, `CanonicalUser`); `everyone` is "*"."""

    everyone: bool
    names: Mapping[str, frozenset[str]]

    def grant(self, caller: Caller) -> Grant:
        if self.everyone or self._has(caller.own_names):
            return Grant.ITSELF
        if self._has(caller.role_names):
            return Grant.ROLE
        return Grant.ACCOUNT if self._has(caller.account_names) else Grant.NONE

    def name_all(self, caller: Caller) -> bool:
        """Whether the caller, its role and its account are all named: only then NotPrincipal leaves it alone."""
        kinds = [names for names in (caller.own_names, caller.role_names, caller.account_names) if names]
        return self.everyone or (bool(kinds) and all(map(self._has, kinds)))

    def _has(self, names: frozenset[tuple[str, str]]) -> bool:
        return any(name in self.names.get(kind, ()) for kind, name in names)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. What is None isn't said; of each pair (`Action`, `NotAction`) one is."""

    sid: str
    denies: bool
    principals: Principals | None
    is_not_principal: bool
    actions: tuple[str, ...]  # in lower case, as IAM compares them
    is_not_action: bool
    resources: tuple[ArnPattern, ...]
    is_not_resource: bool
    condition: Condition

    def grant(self, caller: Caller) -> Grant:
        """By which name it means the caller. Of a policy of the caller's own, which names nobody: itself."""
        if self.principals is None:
            return Grant.ITSELF
        grant = self.principals.grant(caller)
        if not self.is_not_principal:
            return grant
        if self.denies:
            return Grant.NONE if self.principals.name_all(caller) else Grant.ITSELF
        return Grant.ITSELF if grant is Grant.NONE else Grant.NONE

    def applies(self, action: str, resource: str, known: Known) -> bool:
        """To whomever it means. `action` in lower case."""
        if any(matches(one, action) for one in self.actions) is self.is_not_action:
            return False
        return self._concerns(resource, known) and meets(self.condition, known)

    def _concerns(self, resource: str, known: Known) -> bool:
        lookup = lookup_in(known)
        return any(one.matches(resource, lookup) for one in self.resources) is not self.is_not_resource


@dataclass(frozen=True, slots=True)
class Source:
    """Where a policy is from, as IAM's simulator tells it: `kind` is one of its PolicySourceType."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document, read."""

    statements: tuple[Statement, ...]
    source: Source | None = None


def read_policy(document: Document, source: Source | None = None) -> Policy:
    """Of a document that is one: nothing is checked here."""
    statements = document["Statement"]
    variables = document.get("Version") == _VERSION_WITH_VARIABLES
    those = [statements] if isinstance(statements, dict) else statements
    return Policy(tuple(_statement(one, variables=variables) for one in those), source)


def _statement(element: Mapping[str, Any], *, variables: bool) -> Statement:
    is_not_principal = "NotPrincipal" in element
    principal = element.get("NotPrincipal", element.get("Principal"))
    is_not_action, is_not_resource = "NotAction" in element, "NotResource" in element
    actions = texts(element["NotAction" if is_not_action else "Action"])
    resources = texts(element.get("NotResource" if is_not_resource else "Resource", "*"))  # trust policies have none
    return Statement(
        sid=element.get("Sid", ""),
        denies=element["Effect"] == "Deny",
        principals=None if principal is None else _principals(principal),
        is_not_principal=is_not_principal,
        actions=tuple(action.lower() for action in actions),
        is_not_action=is_not_action,
        resources=tuple(resource_pattern(one, variables=variables) for one in resources),
        is_not_resource=is_not_resource,
        condition=condition(element.get("Condition", {}), variables=variables),
    )


def _principals(element: str | Mapping[str, str | Sequence[str]]) -> Principals:
    if isinstance(element, str):
        return Principals(everyone=element == "*", names={})
    names = {kind: frozenset(texts(named)) for kind, named in element.items()}
    return Principals(everyone="*" in names.get("AWS", ()), names=names)


EVERYTHING: Final = read_policy({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
"""What the root of an account may."""
