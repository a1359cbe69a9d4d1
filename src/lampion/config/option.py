"""What a setting is to the command line, to variables and to the documentation."""

from collections.abc import Callable
from dataclasses import dataclass


class SettingError(Exception):
    """A setting that can't be used. `source` is the option or variable that gave it."""

    def __init__(self, source: str, value: str, problem: str, fix: str) -> None:
        super().__init__(f"{source} {value!r}: {problem}. {fix}")
        self.source = source
        self.value = value
        self.problem = problem
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Option:
    """One setting as the command line and the documentation see it."""

    name: str
    default: str
    metavar: str
    help: str
    parse: Callable[[str], object]
    repeatable: bool

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return "LAMPION_" + self.name.upper()


def setting(
    default: str, parse: Callable[[str], object], metavar: str, meaning: str, *, repeatable: bool = False
) -> dict[str, object]:
    """What `Option` says of a field; `default` is text as a user would write it."""
    return {"default": default, "parse": parse, "metavar": metavar, "help": meaning, "repeatable": repeatable}
