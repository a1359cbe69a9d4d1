"""The tracing header of an invocation, X-Amzn-Trace-Id: a caller's made whole, with the function's place in it.

Its `Lineage` counts which functions a chain of requests has passed: SDKs inside functions hand the header on. Pure.
Sources: X-Ray developer guide, "Tracing header"; Lambda developer guide, "Use Lambda recursive loop detection".
"""

import re
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from lampion.domain.arn import FunctionKey

_READ_CHARACTERS: Final = 8192
_OTHER_CHARACTERS: Final = 256
_FUNCTIONS: Final = 32
_MOST_HOPS: Final = 32_767
_MOST_LOOPS: Final = 255
_ROOT: Final = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_PARENT: Final = re.compile(r"[0-9a-f]{16}")
_OTHER: Final = re.compile(r"[!-:<-~]+=[!-:<-~]*")
_PASSED: Final = re.compile(r"(?:([0-9]{1,5}):)?([0-9a-f]{8}):([0-9]{1,5})")
_KNOWN: Final = frozenset(("root", "parent", "sampled", "lineage"))
_SEPARATORS: Final = re.compile(r"[-|]|%7[Cc]")
"""We write `-`, which AWS's SDKs hand on as it is and SQS takes; `|`, which AWS once wrote, SDKs encode."""


class Passed(msgspec.Struct, frozen=True):
    """A function that the chain has passed: at which hop last, and how often again after the first time."""

    hop: int
    function_hash: str
    loops: int

    def __str__(self) -> str:
        return f"{self.hop}:{self.function_hash}:{self.loops}"


class Fields(msgspec.Struct, frozen=True):
    """What of a header can be used; "" for what is missing or malformed. `others` are fields of unknown meaning."""

    root: str = ""
    parent: str = ""
    sampled: str = ""
    lineage: Sequence[Passed] = ()
    others: str = ""


class Trace(msgspec.Struct, frozen=True):
    """The header that a function gets, and how often its chain has come to that function, this time included."""

    header: str
    times_in_chain: int


@lru_cache(maxsize=4096)
def function_hash(key: FunctionKey) -> str:
    """What a lineage calls a function, whichever of its versions runs: eight hexadecimal digits."""
    return f"{zlib.crc32(key.arn.encode()):08x}"


def begun(key: FunctionKey, digits: str, now: float, sampled: str = "0") -> Trace:
    """The trace of an invocation that no trace led to. `digits` are 40 random hexadecimal ones, `now` epoch seconds.

    `sampled` is "1" if it is to be recorded.
    """
    return Trace(f"{_new_ids(digits, now)};Sampled={sampled};Lineage=1:{function_hash(key)}:0", 1)


def continued(header: str, key: FunctionKey, digits: str, now: float, sampled: str = "0") -> Trace:
    """The trace that `header` began, whatever a caller has written there; see `begun` for the rest.

    Without a valid Root the trace is a new one: the caller's Parent and Sampled don't count. The lineage always does.
    `sampled` is for a trace of which nobody has decided before.
    """
    fields = read_fields(header)
    lineage = _extended(fields.lineage, function_hash(key))
    if not fields.root:
        ids = _new_ids(digits, now)
    else:
        ids, sampled = f"Root={fields.root};Parent={fields.parent or digits[24:]}", fields.sampled or sampled
    passed = "-".join(map(str, lineage))
    others = f";{fields.others}" if fields.others else ""
    return Trace(f"{ids};Sampled={sampled};Lineage={passed}{others}", lineage[0].loops + 1)


def is_decided(header: str) -> bool:
    """Whether it says of a trace if that is recorded."""
    fields = read_fields(header)
    return fields.root != "" and fields.sampled != ""


def read_fields(header: str) -> Fields:
    """Never fails: what is malformed is left out. Of a field that is there twice the first one counts."""
    found: dict[str, str] = {}
    others: list[str] = []
    room = _OTHER_CHARACTERS
    for part in header[:_READ_CHARACTERS].split(";"):
        field = part.strip()
        name, _, value = field.partition("=")
        known = name.lower()
        if known in _KNOWN:
            found.setdefault(known, value)
        elif len(field) < room and _OTHER.fullmatch(field):
            others.append(field)
            room -= len(field) + 1
    return Fields(
        root=_matching(_ROOT, found.get("root", "").lower()),
        parent=_matching(_PARENT, found.get("parent", "").lower()),
        sampled=found.get("sampled", "") if found.get("sampled") in ("0", "1") else "",
        lineage=_lineage(found.get("lineage", "")),
        others=";".join(others),
    )


def _new_ids(digits: str, now: float) -> str:
    return f"Root=1-{int(now):08x}-{digits[:24]};Parent={digits[24:]}"


def _matching(pattern: re.Pattern[str], text: str) -> str:
    return text if pattern.fullmatch(text) else ""


def _lineage(text: str) -> Sequence[Passed]:
    """One entry for each function, the latest first. Older services write no hop."""
    passed: dict[str, Passed] = {}
    for part in _SEPARATORS.split(text):
        match = _PASSED.fullmatch(part.strip().lower())
        if match is not None and match[2] not in passed:
            hop, loops = min(int(match[1] or 0), _MOST_HOPS), min(int(match[3]), _MOST_LOOPS)
            passed[match[2]] = Passed(hop, match[2], loops)
    return sorted(passed.values(), key=lambda one: -one.hop)


def _extended(lineage: Sequence[Passed], own_hash: str) -> Sequence[Passed]:
    """Gone on to a function. When there are too many, those that looped least are forgotten, the oldest first."""
    hop = min(max((one.hop for one in lineage), default=0) + 1, _MOST_HOPS)
    before = next((one for one in lineage if one.function_hash == own_hash), None)
    own = Passed(hop, own_hash, 0 if before is None else min(before.loops + 1, _MOST_LOOPS))
    rest = [one for one in lineage if one is not before]
    if len(rest) >= _FUNCTIONS:
        kept = sorted(rest, key=lambda one: (-one.loops, -one.hop))[: _FUNCTIONS - 1]
        rest = [one for one in rest if one in kept]
    return [own, *rest]
