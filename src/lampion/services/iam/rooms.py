"""What the parts of IAM share: the store, ids, moments, pages, and what a name means."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from lampion.aws.pagination import Markers
from lampion.clock.clock import Clock
from lampion.clock.rng import Rng
from lampion.domain.iam.identity import Identity, IdentityKind, missing
from lampion.store.iam import IDENTITIES, identity_place
from lampion.store.resources import Resources, Stored

T = TypeVar("T")
Members = dict[str, Any]

NAMES: Final = {IdentityKind.USER: "UserName", IdentityKind.GROUP: "GroupName", IdentityKind.ROLE: "RoleName"}
"""The member of requests that names one."""
_ID_RANDOM_BYTES: Final = 11
_ID_CHARACTERS: Final = 17
_PAGE: Final = 100
_PAGE_MAX: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class IamRooms:
    """Handed to every part."""

    resources: Resources
    clock: Clock
    rng: Rng
    markers: Markers

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
        goes on.
        """
        asked = self.markers.asked(operation, {"MaxItems": _PAGE, **members}, most=_PAGE_MAX)
        left = [one for one in found if asked.after is None or position(one) > asked.after]
        page = asked.page(left, position)
        more = {} if page.next_marker is None else {"Marker": page.next_marker}
        return page.shown, {"IsTruncated": page.next_marker is not None, **more}


def identity_of(stored: Stored, account_id: str, kind: IdentityKind, name: str) -> Identity:
    """Raises NoSuchEntityException."""
    found = stored.get(IDENTITIES, identity_place(account_id, kind, name))
    if found is None:
        raise missing(kind, name)
    return found
