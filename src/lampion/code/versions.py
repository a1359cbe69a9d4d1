"""Versions of interpreters against the one that a runtime names: which is it, and which comes closest. Pure."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

_NUMBERS: Final = re.compile(r"\d+")


def is_version(version: str, wanted: str) -> bool:
    """3.12.7 is a 3.12, 20.11.1 is a 20, and 21 is a 21."""
    return version == wanted or version.startswith(f"{wanted}.")


def feature_version(version: str, wanted: str) -> str:
    """As many parts of `version` as `wanted` has: 3.13.1 compares with 3.12 as 3.13."""
    return ".".join(version.split(".")[: wanted.count(".") + 1])


def by_closeness(wanted: str, versions: Iterable[str]) -> Sequence[str]:
    """The closest first: newer ones, the next before the others, then older ones, the latest before the others.

    Code seldom uses what the next version took away, and often what the version before didn't have yet; a class file
    for a newer Java doesn't load at all. Of the same feature version the latest patch comes first.
    """
    aim = _parts(wanted)

    def distance(version: str) -> tuple[bool, list[int], list[int]]:
        parts = _parts(version)
        feature, patch = parts[: len(aim)], parts[len(aim) :]
        is_older = feature < aim
        return is_older, [-part if is_older else part for part in feature], [-part for part in patch]

    return sorted(versions, key=distance)


def is_at_least(version: str, least: str) -> bool:
    """3.10.1 is at least 3.8."""
    return _parts(version) >= _parts(least)


def _parts(version: str) -> list[int]:
    return [int(number) for number in _NUMBERS.findall(version)]
