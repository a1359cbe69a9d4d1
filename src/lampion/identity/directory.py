"""The directory of all accounts: which policies hold for a root, a user, the session of a role.

What was looked up stays at hand until something of IAM changes in its account, and is forgotten at that moment.
"""

import json
from collections.abc import Iterable
from typing import Final

from lampion.domain.iam.identity import Identity, IdentityKind
from lampion.identity.actors import Actor, known_of
from lampion.identity.aws_managed_policies import aws_managed_policies
from lampion.identity.callers import Caller, CallerKind, root
from lampion.identity.statements import EVERYTHING, Policy, read_policy
from lampion.store.cached_resources import CachedResources, Change
from lampion.store.iam import GLOBAL, IDENTITIES, MANAGED_POLICIES, identity_place, policy_place
from lampion.store.resources import Stored

_KINDS: Final = frozenset((IDENTITIES.name, MANAGED_POLICIES.name))
_CAPACITY: Final = 10_000
_NOTHING: Final = Policy(())
"""What a boundary allows that isn't there any more."""

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
        self._changes = 0
        resources.subscribe(self._forget)

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

    async def role(self, account_id: str, name: str) -> Actor | None:
        """As the sessions of the role are, but for what is each session's own. None when there is no such role."""
        return await self._find(account_id, (IdentityKind.ROLE, name))

    async def session(self, role_arn: str, arn: str, user_id: str) -> Actor:
        """The session of a role that something here has assumed; of one that isn't there, it may nothing.

        `user_id` is the session's where the role isn't there.
        """
        account_id, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
        caller = Caller(CallerKind.ROLE_SESSION, account_id, arn, role_arn)
        role = await self.role(account_id, name)
        if role is not None and role.caller.arn != role_arn:  # of that name, with another path
            role = None
        if role is not None:
            user_id = f"{role.user_id}:{arn.rpartition('/')[2]}"
        tags = {} if role is None else dict(role.known)
        known = {**tags, **known_of(caller, user_id, {})}
        if self._functions_may_all:
            return Actor(caller=caller, user_id=user_id, identity=(EVERYTHING,), known=known)
        if role is None:
            return Actor(caller=caller, user_id=user_id, known=known)
        return Actor(caller=caller, user_id=user_id, identity=role.identity, boundary=role.boundary, known=known)

    async def _find(self, account_id: str, key: _Key) -> Actor | None:
        at_hand = self._known.get(account_id, {})
        if key in at_hand:
            return at_hand[key]
        before = self._changes
        actor = await self._resources.read(lambda stored: _actor(stored, account_id, key))
        if before == self._changes:  # else what was read may be old already: answered, but not kept
            self._keep(account_id, key, actor)
        return actor

    def _keep(self, account_id: str, key: _Key, actor: Actor | None) -> None:
        of_account = self._known.setdefault(account_id, {})
        if len(of_account) >= _CAPACITY:
            of_account.clear()
        of_account[key] = actor

    def _forget(self, change: Change) -> None:
        if change.region == GLOBAL and change.touches(_KINDS):
            self._changes += 1
            self._known.pop(change.account_id, None)


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
    for document in identity.inline.values():
        yield read_policy(json.loads(document))
    for arn in identity.attached:
        policy = _managed(stored, account_id, arn)
        if policy is not None:
            yield policy


def _managed(stored: Stored, account_id: str, arn: str) -> Policy | None:
    found = aws_managed_policies().get(arn) or stored.get(
        MANAGED_POLICIES, policy_place(account_id, arn.rpartition("/")[2])
    )
    return None if found is None else read_policy(json.loads(found.document), arn)
