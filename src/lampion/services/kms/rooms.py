"""What the parts of KMS share: the store, the keys at work, who may, pages, and what a request's KeyId means."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from lampion.aws.errors import not_built
from lampion.aws.operation import RequestContext
from lampion.aws.pagination import Markers
from lampion.clock.clock import Clock
from lampion.clock.rng import Rng
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.kms.alias import PREFIX, KeyReference, alias_missing, no_alias_here, read_reference
from lampion.domain.kms.errors import DryRunOperationException, InvalidMarkerException, NotFoundException
from lampion.domain.kms.key import Key, key_missing
from lampion.identity.encryption_keys import EncryptionKeys
from lampion.identity.key_access import Asked, KeyAccess
from lampion.store.cached_resources import CachedResources
from lampion.store.kms import KEYS
from lampion.store.resources import Stored

T = TypeVar("T")
Members = dict[str, Any]
Change = Callable[[Key], Key]

_PAGE: Final = 100
_PAGE_MAX: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class KmsRooms:
    """Handed to every part."""

    resources: CachedResources
    keys: EncryptionKeys
    access: KeyAccess
    clock: Clock
    rng: Rng
    markers: Markers

    async def find(self, context: RequestContext, operation: str, text: str, asked: Asked) -> Key:
        """The key that a request names, by whatever a key is called, if the caller may do with it what he asks.

        Raises NotFoundException, InvalidArnException, AccessDeniedException.
        """
        reference = read_reference(text, context.account_id, context.region)
        asked = replace(asked, named=reference)
        key = await self.keys.find(reference, is_own=reference.account_id == context.account_id)
        if key is None:
            self.access.check_absent(context.asker, operation, reference.arn, reference.account_id, asked)
            raise _missing(reference)
        await self.access.check(context.asker, operation, key, asked)
        return key

    async def find_own(self, context: RequestContext, operation: str, text: str, asked: Asked | None = None) -> Key:
        """As `find`, for operations that take no alias and no key of another account."""
        key = await self.find_by_id(context, operation, text, asked)
        if key.account_id != context.account_id:
            raise NotFoundException(f"Invalid arn {text}")
        return key

    async def find_by_id(self, context: RequestContext, operation: str, text: str, asked: Asked | None = None) -> Key:
        """As `find`, for operations that take no alias."""
        self.reference(context, text)
        return await self.find(context, operation, text, asked or Asked())

    def reference(self, context: RequestContext, text: str) -> KeyReference:
        """Of a key by its id or ARN. Raises NotFoundException, InvalidArnException."""
        if text.startswith(PREFIX):
            raise NotFoundException(f"Invalid keyId '{text}'")
        reference = read_reference(text, context.account_id, context.region)
        if reference.alias is not None:
            raise no_alias_here()
        return reference

    async def change(self, key: Key, changed: Change) -> Key:
        """What `changed` makes of the key as it is by then. Raises what that raises."""
        now = self.clock.now()

        def change(stored: Stored) -> Key:
            fresh = stored.get(KEYS, KEYS.place(key))
            if fresh is None or fresh.is_gone(now):
                raise key_missing(key.arn)
            made = changed(fresh)
            stored.put(KEYS, made)
            return made

        return await self.resources.change(change)

    def page(
        self, operation: str, members: Members, found: Sequence[T], position: Callable[[T], str]
    ) -> tuple[Sequence[T], Mapping[str, Any]]:
        """What is shown of all that was `found`, in the order of their positions, and the members that say how it
        goes on. Raises InvalidMarkerException.
        """
        limit = {"MaxItems": members.get("Limit", _PAGE), "Marker": members.get("Marker")}
        try:
            asked = self.markers.asked(operation, limit, most=_PAGE_MAX)
        except InvalidParameterValueException:
            raise InvalidMarkerException("Invalid marker") from None
        left = [one for one in found if asked.after is None or position(one) > asked.after]
        page = asked.page(left, position)
        more = {} if page.next_marker is None else {"NextMarker": page.next_marker}
        return page.shown, {"Truncated": page.next_marker is not None, **more}


def finish_dry_run(members: Members) -> None:
    """Raises DryRunOperationException where one is asked for."""
    if members.get("DryRun"):
        raise DryRunOperationException("The request would have succeeded, but the DryRun option is set.")


def refuse(members: Members, operation: str, *unsupported: str) -> None:
    """Raises OperationNotImplementedException for members that Lampion doesn't know what to do with."""
    for name in unsupported:
        if name in members:
            raise not_built(f"{operation} with {name}")


def _missing(reference: KeyReference) -> NotFoundException:
    return key_missing(reference.arn) if reference.alias is None else alias_missing(reference.arn)
