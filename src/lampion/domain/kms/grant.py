"""Grants: what a principal may do with one key, beside what policies say. Pure.

Docs: KMS developer guide, "Grants in AWS KMS"; KMS API reference, GrantConstraints.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from lampion.domain.kms.errors import InvalidArnException, NotFoundException
from lampion.domain.kms.key import Key, key_arn
from lampion.domain.principal import is_principal

OPERATIONS: Final = frozenset(
    (
        *("Encrypt", "Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo"),
        *("CreateGrant", "RetireGrant", "DescribeKey"),
    )
)
"""That a symmetric key's grant may permit."""
_UNCONSTRAINED: Final = frozenset(("CreateGrant", "RetireGrant", "DescribeKey"))
"""Operations that have no encryption context."""
CONSTRAINT_PAIRS_MAX: Final = 8
CONSTRAINT_VALUE_CHARACTERS_MAX: Final = 384


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """`equals` and `subset` constrain the encryption context, one of them at most; empty ones are none.

    `function_arn` is of the function for which Lambda made it: it goes with that.
    """

    account_id: str
    region: str
    key_id: str
    grant_id: str
    created_epoch_seconds: float
    grantee: str
    operations: tuple[str, ...]
    issuer: str
    retiring: str | None = None
    name: str | None = None
    equals: dict[str, str] = field(default_factory=dict)
    subset: dict[str, str] = field(default_factory=dict)
    function_arn: str | None = None

    @property
    def key_arn(self) -> str:
        return key_arn(self.account_id, self.region, self.key_id)

    def on(self, key: Key) -> "Grant":
        """This grant, on that key."""
        return replace(self, account_id=key.account_id, region=key.region, key_id=key.key_id)

    def permits(self, operation: str, context: Mapping[str, str]) -> bool:
        """To its grantee."""
        return operation in self.operations and (operation in _UNCONSTRAINED or self._admits(context))

    def admits_grant(self, other: "Grant") -> bool:
        """Whether who has this one may give out `other` by it: no operation more, and constraints as strict."""
        if not set(other.operations) <= set(self.operations):
            return False
        if self.equals:
            return _folded(other.equals) == _folded(self.equals)
        if self.subset:
            return _folded(self.subset) <= _folded(other.equals or other.subset)
        return True

    def is_same_as(self, other: "Grant") -> bool:
        """Whether a request for `other` is one for this again: named, and alike in all that is asked for."""
        return self.name is not None and self._asked == other._asked

    @property
    def _asked(self) -> tuple[object, ...]:
        return (self.name, self.grantee, self.retiring, frozenset(self.operations), self.equals, self.subset)

    def _admits(self, context: Mapping[str, str]) -> bool:
        if self.equals:
            return _folded(context) == _folded(self.equals)
        return _folded(self.subset) <= _folded(context)


def function_grant(
    function_arn: str, grantee: str, *, context: Mapping[str, str], issuer: str, now_epoch_seconds: float
) -> Grant:
    """By which Lambda, as the role of a function, decrypts what is the function's. Of no key yet; the same again for
    the same function and role.
    """
    return Grant(
        account_id="",
        region="",
        key_id="",
        grant_id=hashlib.sha256(f"{function_arn} {grantee}".encode()).hexdigest(),
        created_epoch_seconds=now_epoch_seconds,
        grantee=grantee,
        operations=("Decrypt", "RetireGrant"),
        issuer=issuer,
        equals=dict(context),
        function_arn=function_arn,
    )


def _folded(context: Mapping[str, str]) -> frozenset[tuple[str, tuple[str, ...]]]:
    """In constraints, the case of keys doesn't matter, that of values does. Keys that differ only by it mean one thing,
    which has several values then: none of them hides another.
    """
    values: dict[str, list[str]] = {}
    for key, value in context.items():
        values.setdefault(key.lower(), []).append(value)
    return frozenset((key, tuple(sorted(those))) for key, those in values.items())


def check_principal(arn: str) -> None:
    """Raises InvalidArnException for what names nobody in particular."""
    if not arn.startswith("arn:") or not is_principal("AWS", arn):
        raise InvalidArnException(f"ARN does not refer to a valid principal: {arn}")


def grant_missing(grant_id: str) -> NotFoundException:
    return NotFoundException(f"Grant ID {grant_id} not found")
