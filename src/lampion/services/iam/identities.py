"""What users, groups and roles have in common: they are made, found, listed, renamed and deleted."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from lampion.aws.operation import RequestContext
from lampion.domain.iam.identity import ID_PREFIXES, Identity, IdentityKind, check_deletable, check_modifiable, taken
from lampion.domain.iam.tags import with_tags
from lampion.services.iam.managed import check_attachable
from lampion.services.iam.principals import follow, let_go
from lampion.services.iam.rooms import NAMES, IamRooms, Members, identity_of
from lampion.services.iam.shapes import identity_shape
from lampion.services.iam.tags import tags_in
from lampion.store.iam import GLOBAL, IDENTITIES, identity_owner, identity_place
from lampion.store.resources import Stored, every

_OF_EVERYBODY: Final = frozenset(("description",))
"""What the account changes of service-linked roles as well."""


class Identities:
    """Of one kind."""

    def __init__(self, rooms: IamRooms, kind: IdentityKind) -> None:
        self._rooms = rooms
        self._kind = kind

    def draft(self, context: RequestContext, members: Members) -> Identity:
        """One that is to be made."""
        return Identity(
            kind=self._kind,
            account_id=context.account_id,
            path=members.get("Path", "/"),
            name=members[NAMES[self._kind]],
            unique_id=self._rooms.new_id(ID_PREFIXES[self._kind]),
            created_epoch_seconds=self._rooms.now_epoch_seconds,
            tags=with_tags({}, tags_in(members)),
            boundary=members.get("PermissionsBoundary"),
        )

    async def create(self, identity: Identity) -> Identity:
        """Raises EntityAlreadyExistsException."""

        def create(stored: Stored) -> Identity:
            if identity.boundary is not None:
                check_attachable(stored, identity.account_id, identity.boundary)
            if stored.get(IDENTITIES, self._place(identity.account_id, identity.name)) is not None:
                raise taken(self._kind, identity.name)
            stored.put(IDENTITIES, identity)
            return identity

        return await self._rooms.resources.change(create)

    async def get(self, context: RequestContext, name: str) -> Identity:
        """Raises NoSuchEntityException."""
        return await self._rooms.resources.read(lambda stored: self.of(stored, context, name))

    def of(self, stored: Stored, context: RequestContext, name: str) -> Identity:
        """Raises NoSuchEntityException."""
        return identity_of(stored, context.account_id, self._kind, name)

    async def update(self, context: RequestContext, name: str, **changes: Any) -> Identity:
        """Raises NoSuchEntityException."""

        def update(stored: Stored) -> Identity:
            before = self.of(stored, context, name)
            if changes.keys() - _OF_EVERYBODY:
                check_modifiable(before)
            changed = replace(before, **changes)
            stored.put(IDENTITIES, changed)
            return changed

        return await self._rooms.resources.change(update)

    async def rename(self, context: RequestContext, name: str, new_name: str | None, new_path: str | None) -> None:
        """None leaves it as it is. Raises NoSuchEntityException, EntityAlreadyExistsException."""

        def rename(stored: Stored) -> None:
            before = self.of(stored, context, name)
            after = replace(before, name=new_name or before.name, path=new_path or before.path)
            other = stored.get(IDENTITIES, self._place(context.account_id, after.name))
            if other is not None and other.unique_id != before.unique_id:
                raise taken(self._kind, after.name)
            stored.delete(IDENTITIES, self._place(context.account_id, name))
            stored.put(IDENTITIES, after)
            if self._kind is IdentityKind.GROUP:
                self._follow(stored, context, before.name, after.name)
            else:
                follow(stored, before, after, self._rooms.rng.uuid4)

        await self._rooms.resources.change(rename)

    def _follow(self, stored: Stored, context: RequestContext, group: str, new_name: str) -> None:
        """Users who are in the group are in it under its new name."""
        users = every(stored, IDENTITIES, context.account_id, GLOBAL, owner=identity_owner(IdentityKind.USER))
        for user in users:
            if group in user.groups:
                groups = tuple(new_name if one == group else one for one in user.groups)
                stored.put(IDENTITIES, replace(user, groups=groups))

    async def delete(
        self, context: RequestContext, name: str, check: Callable[[Stored], None] = lambda _: None
    ) -> None:
        """Raises NoSuchEntityException, UnmodifiableEntityException, DeleteConflictException, and what `check` of the
        same transaction raises.
        """

        def delete(stored: Stored) -> None:
            gone = self.of(stored, context, name)
            check_modifiable(gone)
            check_deletable(gone)
            check(stored)
            stored.delete(IDENTITIES, self._place(context.account_id, name))
            if self._kind is not IdentityKind.GROUP:
                let_go(stored, gone, self._rooms.rng.uuid4)

        await self._rooms.resources.change(delete)

    async def page(self, operation: str, context: RequestContext, members: Members) -> Mapping[str, Any]:
        """Those whose path begins as asked."""
        found = await self._rooms.resources.read(lambda stored: self.all(stored, context))
        prefix = members.get("PathPrefix", "/")
        those = [one for one in found if one.path.startswith(prefix)]
        shown, more = self._rooms.page(operation, members, those, lambda one: one.name.lower())
        return {f"{self._kind.capitalize()}s": [identity_shape(one, is_listed=True) for one in shown], **more}

    def all(self, stored: Stored, context: RequestContext) -> list[Identity]:
        """Of the account, by name."""
        return list(every(stored, IDENTITIES, context.account_id, GLOBAL, owner=identity_owner(self._kind)))

    def _place(self, account_id: str, name: str) -> Any:
        return identity_place(account_id, self._kind, name)
