"""Where layers are kept: the count of a layer's versions, each version, and its policy, by layer and number."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final

from lampion.domain.layer import Layer, LayerKey, LayerVersion
from lampion.domain.layer_policy import LayerPolicy
from lampion.store.resources import Kind, Place, Stored

_DIGITS: Final = 19  # of the greatest number that a signed 64-bit integer holds: ids are in bytewise order
_PAGE: Final = 100


def layer_place(key: LayerKey) -> Place:
    return Place(key.account_id, key.region, _owner(key.name), "")


def layer_version_place(key: LayerKey, number: int) -> Place:
    return Place(key.account_id, key.region, _owner(key.name), _id(number))


LAYERS: Final = Kind("layer", Layer, place=lambda layer: layer_place(layer.key))
LAYER_VERSIONS: Final = Kind(
    "layer-version",
    LayerVersion,
    place=lambda version: layer_version_place(version.key, version.number),
    package=lambda version: version.package,
)
LAYER_POLICIES: Final = Kind(
    "layer-policy", LayerPolicy, place=lambda policy: layer_version_place(policy.key, policy.number)
)

Wanted = Callable[[LayerVersion], bool]
"""Which versions are asked for."""


def versions_of(
    stored: Stored, key: LayerKey, wanted: Wanted, *, before: int | None = None, limit: int
) -> Sequence[LayerVersion]:
    """Up to `limit` wanted versions of a layer below the number `before`, the newest first."""
    return list(islice(filter(wanted, _descending(stored, key, before)), limit))


def newest_versions(
    stored: Stored, account_id: str, region: str, wanted: Wanted, *, after: str | None, limit: int
) -> Sequence[LayerVersion]:
    """The newest wanted version of each layer that has one: up to `limit`, of layers named after `after`, by name."""
    found: list[LayerVersion] = []
    for layer in _layers(stored, account_id, region, after):
        found += versions_of(stored, layer.key, wanted, limit=1)
        if len(found) == limit:
            break
    return found


def _descending(stored: Stored, key: LayerKey, before: int | None) -> Iterator[LayerVersion]:
    owner = _owner(key.name)
    after = None if before is None else (owner, _id(before))
    while True:
        page = stored.page(
            LAYER_VERSIONS, key.account_id, key.region, owner=owner, after=after, limit=_PAGE, descending=True
        )
        yield from page
        if len(page) < _PAGE:
            return
        after = (owner, _id(page[-1].number))


def _layers(stored: Stored, account_id: str, region: str, after: str | None) -> Iterator[Layer]:
    place = None if after is None else (_owner(after), "")
    while True:
        page = stored.page(LAYERS, account_id, region, after=place, limit=_PAGE)
        yield from page
        if len(page) < _PAGE:
            return
        place = (_owner(page[-1].key.name), "")


def _owner(name: str) -> str:
    return f"layer:{name}"


def _id(number: int) -> str:
    return f"{number:0{_DIGITS}d}"
