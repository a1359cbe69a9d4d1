"""What migrations leave for a running server to do, because SQL alone can't: outstanding as long as it is here."""

from dataclasses import dataclass
from typing import Final

from lampion.store.resources import Kind, Place


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Of the whole store, whatever the account."""

    name: str


SEAL_ENVIRONMENTS: Final = Upgrade("seal-environments")
UPGRADES: Final = Kind("upgrade", Upgrade, place=lambda one: Place("", "", "", one.name))
