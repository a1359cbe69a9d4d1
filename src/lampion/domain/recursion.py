"""What is done when a function is found to have invoked itself in a loop. Pure.

Source: Lambda developer guide, page "Use Lambda recursive loop detection to prevent infinite loops".
"""

from dataclasses import dataclass
from typing import Final

from lampion.domain.arn import FunctionKey

RECURSIVE_LOOP_DEFAULT: Final = "Terminate"


@dataclass(frozen=True, slots=True)
class RecursionConfig:
    """`recursive_loop` is Terminate or Allow. A function for which none is kept has RECURSIVE_LOOP_DEFAULT."""

    key: FunctionKey
    recursive_loop: str
