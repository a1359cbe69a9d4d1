"""Aliases of keys, and how requests name a key. Pure.

Docs: KMS developer guide, "Aliases in AWS KMS", "Key identifiers (KeyId)".
"""

import re
from dataclasses import dataclass
from typing import Final

from lampion.domain.kms.errors import (
    AlreadyExistsException,
    InvalidAliasNameException,
    InvalidArnException,
    LimitExceededException,
    NotFoundException,
)
from lampion.domain.kms.key import key_arn

PREFIX: Final = "alias/"
RESERVED: Final = "alias/aws/"
LAMBDAS: Final = "alias/aws/lambda"
"""Of the key that Lambda has in every account and region."""
ALIASES_LISTED_WITHOUT_KEY: Final = (LAMBDAS,)
"""Every account has them; their key is made when it is first asked for."""
PER_KEY_MAX: Final = 50

_KEY_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_ARN: Final = re.compile(r"arn:aws[a-z-]*:kms:([a-z0-9-]+):([0-9]{12}):(key/.+|alias/.+)", re.ASCII)
_NAME: Final = re.compile(r"alias/[a-zA-Z0-9/_-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """Another name of a key; `name` begins with alias/."""

    account_id: str
    region: str
    name: str
    key_id: str
    created_epoch_seconds: float
    updated_epoch_seconds: float

    @property
    def arn(self) -> str:
        return alias_arn(self.account_id, self.region, self.name)


@dataclass(frozen=True, slots=True)
class KeyReference:
    """How a request names a key: by its id, or by the name of an alias."""

    account_id: str
    region: str
    key_id: str | None = None
    alias: str | None = None

    @property
    def arn(self) -> str:
        if self.alias is not None:
            return alias_arn(self.account_id, self.region, self.alias)
        return key_arn(self.account_id, self.region, self.key_id or "")


def alias_arn(account_id: str, region: str, name: str) -> str:
    return f"arn:aws:kms:{region}:{account_id}:{name}"


def read_reference(text: str, account_id: str, region: str) -> KeyReference:
    """Of a caller from `account_id`. Raises NotFoundException for what no key can be called, or not in this region,
    and InvalidArnException for what is no key's ARN.
    """
    if not text.startswith("arn:"):
        return _named(text, account_id, region)
    parts = _ARN.fullmatch(text)
    if parts is None:
        raise InvalidArnException(f"Invalid arn {text}")
    if parts[1] != region:
        raise NotFoundException(f"Invalid arn {parts[1]}")
    return _named(parts[3].removeprefix("key/"), parts[2], region)


def _named(text: str, account_id: str, region: str) -> KeyReference:
    if text.startswith(PREFIX):
        return KeyReference(account_id, region, alias=text)
    if not _KEY_ID.fullmatch(text):
        raise NotFoundException(f"Invalid keyId '{text}'")
    return KeyReference(account_id, region, key_id=text.lower())


def name_fault(name: str) -> str | None:
    """What is wrong with the name of an alias; None when one may be called so."""
    if not name.startswith(PREFIX):
        return (
            'Alias must start with the prefix "alias/". Please see '
            "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
        )
    return None if _NAME.fullmatch(name) else f"{name} contains invalid characters for an alias"


def check_not_reserved(name: str) -> None:
    """Raises InvalidAliasNameException for those of AWS."""
    if name.startswith(RESERVED):
        raise InvalidAliasNameException(f"{name} is reserved: names of AWS managed keys begin with {RESERVED}")


def alias_missing(arn: str) -> NotFoundException:
    return NotFoundException(f"Alias {arn} is not found.")


def alias_taken(arn: str) -> AlreadyExistsException:
    return AlreadyExistsException(f"An alias with the name {arn} already exists")


def no_alias_here() -> InvalidArnException:
    """To operations that take a key by its id or ARN alone."""
    return InvalidArnException("Key Aliases are not supported for this operation")


def check_room_for_alias(existing: int) -> None:
    """Raises LimitExceededException."""
    if existing >= PER_KEY_MAX:
        raise LimitExceededException(f"A key can't have more than {PER_KEY_MAX} aliases.")
