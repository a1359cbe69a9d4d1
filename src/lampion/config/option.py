"""What one setting is: how it is called, read and explained."""

from collections.abc import Callable
from dataclasses import dataclass

from lampion.config.values import parse_switch


@dataclass(frozen=True, slots=True)
class Option:
    """One setting as the command line and the documentation see it."""

    name: str
    default: str
    metavar: str
    help: str
    parse: Callable[[str], object]
    repeatable: bool
    variable_name: str = ""

    @property
    def is_switch(self) -> bool:
        """Whether the option takes no value on the command line: given, it means yes."""
        return self.parse is parse_switch

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return self.variable_name or "LAMPION_" + self.name.upper()


def setting(
    default: str,
    parse: Callable[[str], object],
    metavar: str,
    meaning: str,
    *,
    repeatable: bool = False,
    variable: str = "",
) -> dict[str, object]:
    """What `Option` says of a field; `default` is text as a user would write it, `variable` one of another name."""
    return {
        "default": default,
        "parse": parse,
        "metavar": metavar,
        "help": meaning,
        "repeatable": repeatable,
        "variable_name": variable,
    }
