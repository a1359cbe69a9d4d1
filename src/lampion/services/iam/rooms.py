"""What the parts of IAM share: the store, ids, moments, pages, and what a name means."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from lampion.aws.errors import ValidationException
from lampion.aws.operation import RequestContext
from lampion.aws.pagination import Markers
from lampion.clock.clock import Clock
from lampion.clock.rng import Rng
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.iam.identity import Identity, IdentityKind, check_modifiable, missing
from lampion.identity.callers import root_arn
from lampion.store.iam import IDENTITIES, identity_place
from lampion.store.resources import Resources, Stored

T = TypeVar("T")
Members = dict[str, Any]

NAMES: Final = {IdentityKind.USER: "UserName", IdentityKind.GROUP: "GroupName", IdentityKind.ROLE: "RoleName"}
"""The member of requests that names one."""
_ID_RANDOM_BYTES: Final = 11
_ID_CHARACTERS: Final = 17
PAGE: Final = 100
_PAGE_MAX: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class IamRooms:
    """Handed to every part. `secret` is this server's own."""

    resources: Resources
    clock: Clock
    rng: Rng
    markers: Markers
    secret: bytes = field(repr=False)

    @property
    def now_epoch_seconds(self) -> int:
        return int(self.clock.now())

    def new_id(self, prefix: str) -> str:
        """Never given twice, even to what has the same name: 21 characters, as AWS's."""
        return prefix + base64.b32encode(self.rng.token(_ID_RANDOM_BYTES)).decode()[:_ID_CHARACTERS]

    def page(
        self, operation: str, members: Members, found: Sequence[T], position: Callable[[T], str]
    ) -> tuple[Sequence[T], Mapping[str, Any]]:
        """What is shown of all that was `found`, in the order of their positions, and the members that say how it
        goes on. Raises ValidationException for a marker that isn't ours.
        """
        try:
            asked = self.markers.asked(operation, {"MaxItems": PAGE, **members}, most=_PAGE_MAX)
        except InvalidParameterValueException:
            raise ValidationException("Invalid Marker.") from None
        left = [one for one in found if asked.after is None or position(one) > asked.after]
        page = asked.page(left, position)
        more = {} if page.next_marker is None else {"Marker": page.next_marker}
        return page.shown, {"IsTruncated": page.next_marker is not None, **more}


def is_root(context: RequestContext) -> bool:
    return context.caller_arn == root_arn(context.account_id)


def user_name_of(context: RequestContext, members: Members) -> str:
    """Without one, it is the caller's own. Raises ValidationException for callers that are no users."""
    name: str | None = members.get("UserName")
    if name is not None:
        return name
    _, is_user, path = context.caller_arn.partition(":user/")
    if not is_user:
        raise ValidationException("Must specify userName when calling with non-User credentials")
    return path.rpartition("/")[2]


def identity_of(stored: Stored, account_id: str, kind: IdentityKind, name: str) -> Identity:
    """Raises NoSuchEntityException."""
    found = stored.get(IDENTITIES, identity_place(account_id, kind, name))
    if found is None:
        raise missing(kind, name)
    return found


def own_identity_of(stored: Stored, account_id: str, kind: IdentityKind, name: str) -> Identity:
    """One that the account may change. Raises NoSuchEntityException, UnmodifiableEntityException."""
    identity = identity_of(stored, account_id, kind, name)
    check_modifiable(identity)
    return identity
