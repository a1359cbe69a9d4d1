"""Names of functions: ARN, partial ARN, plain name; and the qualifier behind any of them."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import msgspec

LATEST: Final = "$LATEST"

_REFERENCE = re.compile(
    r"(?:arn:(?P<partition>aws[a-zA-Z-]*)?:lambda:)?"
    r"(?:(?P<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?"
    r"(?:(?P<account_id>\d{12}):)?"
    r"(?:function:)?"
    r"(?P<name>[a-zA-Z0-9_.-]+)"
    r"(?::(?P<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9_-]+))?"
)


class FunctionKey(msgspec.Struct, frozen=True, cache_hash=True):
    """Where a function lives: every stored thing of it starts with these three."""

    account_id: str
    region: str
    name: str

    @property
    def arn(self) -> str:
        """The unqualified function ARN."""
        return f"arn:aws:lambda:{self.region}:{self.account_id}:function:{self.name}"

    def qualified_arn(self, qualifier: str) -> str:
        return f"{self.arn}:{qualifier}"


@dataclass(frozen=True, slots=True)
class FunctionReference:
    """What a caller wrote where a function name is wanted; parts not written are None."""

    name: str
    account_id: str | None = None
    region: str | None = None
    qualifier: str | None = None


@lru_cache(maxsize=4096)
def parse_function_reference(text: str) -> FunctionReference:
    """Take apart a name, partial ARN or ARN whose shape the model has already checked.

    Raises ValueError when `text` is none of them.
    """
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise ValueError(f"not a function name or ARN: {text!r}")
    return FunctionReference(
        name=match["name"], account_id=match["account_id"], region=match["region"], qualifier=match["qualifier"]
    )
