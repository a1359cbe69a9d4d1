"""The directory of all accounts: which policies hold for a root, a user, the session of a role.

What was looked up stays at hand until something of IAM changes in its account, and is forgotten at that moment.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from lampion.domain.iam.identity import Identity, IdentityKind
from lampion.domain.iam.managed_policy import AWS
from lampion.identity.actors import Actor, Epoch, known_of
from lampion.identity.aws_managed_policies import aws_managed_policies
from lampion.identity.callers import Caller, CallerKind, federated_user_arn, root
from lampion.identity.session_keys import SessionKey
from lampion.identity.statements import EVERYTHING, Policy, Source, read_policy
from lampion.identity.tag_facts import OF_PRINCIPAL, tag_facts
from lampion.identity.temporary_keys import Standing
from lampion.store.cached_resources import CachedResources, Change
from lampion.store.iam import GLOBAL, IDENTITIES, MANAGED_POLICIES, identity_place, policy_place
from lampion.store.resources import Stored

_KINDS: Final = frozenset((IDENTITIES.name, MANAGED_POLICIES.name))
_CAPACITY: Final = 10_000
_NOTHING: Final = Policy(())
"""What a boundary allows that isn't there any more."""
_WITHOUT_MFA: Final[Mapping[str, Sequence[str]]] = {"aws:multifactorauthpresent": ("false",)}
"""Known of temporary keys alone: nobody has MFA here, and requests with long-term keys don't say."""

_Key = tuple[IdentityKind, str]
"""A role by its name, a user by its unique id."""


class Directory:
    """Asks the store once for each identity."""

    def __init__(self, resources: CachedResources, *, functions_may_all: bool = False) -> None:
        """`functions_may_all`: sessions of roles may everything, whatever their policies say."""
        self._resources = resources
        self._functions_may_all = functions_may_all
        self._roots: dict[str, Actor] = {}
        self._known: dict[str, dict[_Key, Actor | None]] = {}
        self._epochs: dict[str, Epoch] = {}
        resources.subscribe(self._forget)

    @property
    def functions_may_all(self) -> bool:
        return self._functions_may_all

    def root(self, account_id: str) -> Actor:
        """The account itself: it may everything."""
        actor = self._roots.get(account_id)
        if actor is None:
            caller = root(account_id)
            known = known_of(caller, account_id, {})
            actor = Actor(caller=caller, user_id=account_id, identity=(EVERYTHING,), known=known)
            if len(self._roots) < _CAPACITY:
                self._roots[account_id] = actor
        return actor

    async def user(self, account_id: str, unique_id: str) -> Actor | None:
        """By its id: who is made again under a name isn't who had it. None when there is no such user."""
        return await self._find(account_id, (IdentityKind.USER, unique_id))

    async def user_named(self, account_id: str, name: str) -> Actor | None:
        """None when there is no such user."""
        place = identity_place(account_id, IdentityKind.USER, name)
        user = await self._resources.get(IDENTITIES, place)
        return None if user is None else await self.user(account_id, user.unique_id)

    async def role(self, account_id: str, name: str) -> Actor | None:
        """As the sessions of the role are, but for what is each session's own. None when there is no such role."""
        return await self._find(account_id, (IdentityKind.ROLE, name))

    async def session(self, session: SessionKey) -> Actor:
        """A function, in its role. Of a role that isn't there, or is another account's, it may nothing."""
        caller = Caller(CallerKind.ROLE_SESSION, session.account_id, session.arn, session.role_arn)
        name = session.role_arn.rpartition("/")[2]
        role = await self.role(session.account_id, name)
        if role is None or role.caller.role_arn != session.role_arn:
            role = Actor(caller=caller, user_id="")
        user_id = f"{role.user_id}:{session.session_name}" if role.user_id else session.user_id
        actor = replace(
            role, caller=caller, user_id=user_id, known={**role.known, **known_of(caller, user_id, {}), **_WITHOUT_MFA}
        )
        return replace(actor, identity=(EVERYTHING,), boundary=None) if self._functions_may_all else actor

    async def standing(self, standing: Standing) -> Actor | None:
        """Whom a temporary key stands for; None when the user or the role is gone, or is another one by now."""
        epoch = self._epochs.setdefault(standing.account_id, Epoch())  # before anything is looked up
        actor = await self._standing(standing)
        return None if actor is None else replace(actor, epoch=epoch)

    async def _standing(self, standing: Standing) -> Actor | None:
        bounds = await self._bounds(standing)
        facts: dict[str, Sequence[str]] = {
            **tag_facts(OF_PRINCIPAL, standing.tags.items()),
            "aws:tokenissuetime": (_moment(standing.issued_epoch_seconds),),
            **_WITHOUT_MFA,
        }
        if standing.source_identity:
            facts["aws:sourceidentity"] = (standing.source_identity,)
        if not standing.role_arn:
            return await self._lent(standing, bounds, facts)
        name = standing.role_arn.rpartition("/")[2]
        role = await self.role(standing.account_id, name)
        if role is None or role.user_id != standing.unique_id:
            return None
        arn = f"arn:aws:sts::{standing.account_id}:assumed-role/{name}/{standing.session_name}"
        user_id = f"{role.user_id}:{standing.session_name}"
        caller = Caller(CallerKind.ROLE_SESSION, standing.account_id, arn, standing.role_arn)
        known = {**role.known, **known_of(caller, user_id, {}), **facts}
        return replace(role, caller=caller, user_id=user_id, session=bounds, known=known, standing=standing)

    async def _lent(
        self, standing: Standing, bounds: tuple[Policy, ...] | None, facts: Mapping[str, Sequence[str]]
    ) -> Actor | None:
        """The user or root that asked for the key, or the federated user for whom it did."""
        if standing.unique_id:
            actor = await self.user(standing.account_id, standing.unique_id)
        else:
            actor = self.root(standing.account_id)
        if actor is None:
            return None
        if standing.federated_name:
            return _federated(actor, standing, bounds, facts)
        return replace(actor, session=bounds, known={**actor.known, **facts}, standing=standing)

    async def _bounds(self, standing: Standing) -> tuple[Policy, ...] | None:
        if not standing.is_bounded:
            return None
        account_id, arns = standing.account_id, standing.policy_arns
        managed = await self._resources.read(lambda stored: [_managed(stored, account_id, arn) for arn in arns])
        return (*map(_read, standing.policies), *(one for one in managed if one is not None))

    async def group(self, account_id: str, name: str) -> Actor | None:
        """What being in it alone would give. None when there is no such group."""
        return await self._find(account_id, (IdentityKind.GROUP, name))

    async def _find(self, account_id: str, key: _Key) -> Actor | None:
        at_hand = self._known.get(account_id, {})
        if key in at_hand:
            return at_hand[key]
        epoch = self._epochs.setdefault(account_id, Epoch())
        actor = await self._resources.read(lambda stored: _actor(stored, account_id, key))
        if actor is not None:
            actor = replace(actor, epoch=epoch)
        if not epoch.is_over:  # else what was read may be old already: answered, but not kept
            self._keep(account_id, key, actor)
        return actor

    def _keep(self, account_id: str, key: _Key, actor: Actor | None) -> None:
        of_account = self._known.setdefault(account_id, {})
        if len(of_account) >= _CAPACITY:
            of_account.clear()
        of_account[key] = actor

    def _forget(self, change: Change) -> None:
        if change.region == GLOBAL and change.touches(_KINDS):
            self._known.pop(change.account_id, None)
            epoch = self._epochs.pop(change.account_id, None)
            if epoch is not None:
                epoch.is_over = True


def _federated(
    actor: Actor, standing: Standing, bounds: tuple[Policy, ...] | None, facts: Mapping[str, Sequence[str]]
) -> Actor:
    """He isn't who made his key: he shares that one's policies and tags, but no name."""
    account_id, name = standing.account_id, standing.federated_name
    himself = Caller(CallerKind.FEDERATED_USER, account_id, federated_user_arn(account_id, name))
    user_id = f"{account_id}:{name}"
    tags = {key: value for key, value in actor.known.items() if key.startswith(OF_PRINCIPAL)}
    caller = himself if not standing.unique_id else replace(himself, role_arn=actor.caller.arn)
    known = {**tags, **known_of(himself, user_id, {}), **facts}
    return replace(actor, caller=caller, user_id=user_id, session=bounds, known=known, standing=standing)


def _moment(epoch_seconds: int) -> str:
    return f"{datetime.fromtimestamp(epoch_seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _read(document: str, source: Source | None = None) -> Policy:
    return read_policy(json.loads(document), source)


def _actor(stored: Stored, account_id: str, key: _Key) -> Actor | None:
    identity = _identity(stored, account_id, key)
    if identity is None:
        return None
    of_groups = (stored.get(IDENTITIES, identity_place(account_id, IdentityKind.GROUP, one)) for one in identity.groups)
    everything = (identity, *(group for group in of_groups if group is not None))
    boundary = None if identity.boundary is None else _managed(stored, account_id, identity.boundary) or _NOTHING
    if identity.kind is IdentityKind.USER:
        caller = Caller(CallerKind.USER, account_id, identity.arn)
        known = known_of(caller, identity.unique_id, identity.tags, username=identity.name)
    else:
        caller = Caller(CallerKind.ROLE_SESSION, account_id, identity.arn, identity.arn)
        known = known_of(caller, identity.unique_id, identity.tags)
    return Actor(
        caller=caller,
        user_id=identity.unique_id,
        identity=tuple(policy for one in everything for policy in _policies(stored, account_id, one)),
        boundary=boundary,
        known=known,
    )


def _identity(stored: Stored, account_id: str, key: _Key) -> Identity | None:
    kind, named = key
    if kind is not IdentityKind.USER:
        return stored.get(IDENTITIES, identity_place(account_id, kind, named))
    found = stored.found(IDENTITIES, account_id, GLOBAL, by=named, limit=1)
    return found[0] if found else None


def _policies(stored: Stored, account_id: str, identity: Identity) -> Iterable[Policy]:
    """In it and on it. One that was deleted meanwhile says nothing: nothing is deleted while it is attached."""
    for name, document in identity.inline.items():
        yield _read(document, Source(f"{identity.kind}_{identity.name}_{name}", identity.kind))
    for arn in identity.attached:
        policy = _managed(stored, account_id, arn)
        if policy is not None:
            yield policy


def _managed(stored: Stored, account_id: str, arn: str) -> Policy | None:
    found = aws_managed_policies().get(arn) or stored.get(
        MANAGED_POLICIES, policy_place(account_id, arn.rpartition("/")[2])
    )
    if found is None:
        return None
    return _read(found.document, Source(found.name, "aws-managed" if found.account_id == AWS else "user-managed"))
