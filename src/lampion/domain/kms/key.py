"""Keys: what they are, which states they have, and when their material is made anew. Pure.

Docs: KMS developer guide, "Key states of AWS KMS keys", "Rotate AWS KMS keys", "Delete an AWS KMS key".
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from lampion.domain.kms.errors import (
    DisabledException,
    KMSInvalidStateException,
    NotFoundException,
    UnsupportedOperationException,
)

SPEC: Final = "SYMMETRIC_DEFAULT"
USAGE: Final = "ENCRYPT_DECRYPT"
ORIGIN: Final = "AWS_KMS"
ALGORITHM: Final = "SYMMETRIC_DEFAULT"

PENDING_DAYS_MIN: Final = 7
PENDING_DAYS_MAX: Final = 30
ROTATION_DAYS: Final = 365
"""Where nobody says otherwise."""
DAY_SECONDS: Final = 86_400


class KeyState(StrEnum):
    """As DescribeKey tells it."""

    ENABLED = "Enabled"
    DISABLED = "Disabled"
    PENDING_DELETION = "PendingDeletion"


class KeyManager(StrEnum):
    """Who decides over a key: its account, or the service that made it there."""

    CUSTOMER = "CUSTOMER"
    AWS = "AWS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a key encrypts with, wrapped by this server's master key."""

    id: str
    wrapped: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """`materials` from the oldest on: the last one encrypts, each decrypts what it encrypted.

    `deletion_epoch_seconds` is when it goes, `rotation_epoch_seconds` when its next material is due; None for never.
    """

    account_id: str
    region: str
    key_id: str
    created_epoch_seconds: float
    policy: str
    materials: tuple[Material, ...]
    description: str = ""
    state: KeyState = KeyState.ENABLED
    deletion_epoch_seconds: float | None = None
    tags: dict[str, str] = field(default_factory=dict)
    manager: KeyManager = KeyManager.CUSTOMER
    rotation_days: int | None = None
    rotation_epoch_seconds: float | None = None

    @property
    def arn(self) -> str:
        return key_arn(self.account_id, self.region, self.key_id)

    def is_gone(self, now_epoch_seconds: float) -> bool:
        """Whether its time has come: from then on it isn't there, and neither is its material."""
        return self.deletion_epoch_seconds is not None and self.deletion_epoch_seconds <= now_epoch_seconds

    def needs_material(self, now_epoch_seconds: float) -> bool:
        """Whether it has to be given a new one before it encrypts again."""
        return self.rotation_epoch_seconds is not None and self.rotation_epoch_seconds <= now_epoch_seconds


def key_arn(account_id: str, region: str, key_id: str) -> str:
    return f"arn:aws:kms:{region}:{account_id}:key/{key_id}"


def key_missing(arn: str) -> NotFoundException:
    return NotFoundException(f"Key '{arn}' does not exist")


def check_usable(key: Key) -> None:
    """For what the key itself does. Raises DisabledException, KMSInvalidStateException."""
    check_not_pending(key)
    if key.state is KeyState.DISABLED:
        raise DisabledException(f"{key.arn} is disabled.")


def check_not_pending(key: Key) -> None:
    """For changes of the key. Raises KMSInvalidStateException."""
    if key.state is KeyState.PENDING_DELETION:
        raise KMSInvalidStateException(f"{key.arn} is pending deletion.")


def with_state(key: Key, state: KeyState) -> Key:
    """Enabled or disabled. Raises KMSInvalidStateException while it is pending deletion."""
    check_not_pending(key)
    return replace(key, state=state)


def pending_deletion(key: Key, days: int, now_epoch_seconds: float) -> Key:
    """Gone in so many `days`. Raises KMSInvalidStateException."""
    check_not_pending(key)
    due = now_epoch_seconds + days * DAY_SECONDS
    return replace(key, state=KeyState.PENDING_DELETION, deletion_epoch_seconds=due)


def rescued(key: Key) -> Key:
    """It stays, and is disabled. Raises KMSInvalidStateException for one that isn't to go."""
    if key.state is not KeyState.PENDING_DELETION:
        raise KMSInvalidStateException(f"{key.arn} is not pending deletion.")
    return replace(key, state=KeyState.DISABLED, deletion_epoch_seconds=None)


def with_rotation(key: Key, days: int | None, now_epoch_seconds: float) -> Key:
    """New material every so many `days`, never for None. Raises DisabledException, KMSInvalidStateException."""
    check_usable(key)
    due = None if days is None else now_epoch_seconds + days * DAY_SECONDS
    return replace(key, rotation_days=days, rotation_epoch_seconds=due)


def rotated(key: Key, material: Material, now_epoch_seconds: float) -> Key:
    """With new material; once, however often it was due meanwhile, and due again as its rhythm has it."""
    assert key.rotation_days is not None
    assert key.rotation_epoch_seconds is not None
    period = key.rotation_days * DAY_SECONDS
    missed = (now_epoch_seconds - key.rotation_epoch_seconds) // period
    due = key.rotation_epoch_seconds + (missed + 1) * period
    return replace(key, materials=(*key.materials, material), rotation_epoch_seconds=due)


def check_kind(*, spec: str, usage: str, origin: str, is_multi_region: bool) -> None:
    """Whether such keys are offered here. Raises UnsupportedOperationException."""
    for member, value, only in (("KeySpec", spec, SPEC), ("KeyUsage", usage, USAGE), ("Origin", origin, ORIGIN)):
        if value != only:
            raise UnsupportedOperationException(f"{member} {value} is not supported: Lampion offers {only} only.")
    if is_multi_region:
        raise UnsupportedOperationException("Multi-Region keys are not supported by Lampion.")
