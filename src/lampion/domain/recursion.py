"""What is done when a function is found to have invoked itself in a loop. Pure.

Source: Lambda developer guide, page "Use Lambda recursive loop detection to prevent infinite loops".
"""

from dataclasses import dataclass
from typing import Final

from lampion.domain.arn import FunctionKey

RECURSIVE_LOOP_DEFAULT: Final = "Terminate"
TIMES_IN_CHAIN_MAX: Final = 16
"""As often a function runs in one chain of requests; then the chain is taken for a loop."""


@dataclass(frozen=True, slots=True)
class RecursionConfig:
    """`recursive_loop` is Terminate or Allow. A function for which none is kept has RECURSIVE_LOOP_DEFAULT."""

    key: FunctionKey
    recursive_loop: str


def is_loop(times_in_chain: int) -> bool:
    """Whether a chain that has come to a function so often, this time included, is taken for a loop."""
    return times_in_chain > TIMES_IN_CHAIN_MAX


def is_stopped(times_in_chain: int, config: RecursionConfig | None) -> bool:
    """Whether the function isn't run. `config` is the one that is kept for it, if any."""
    recursive_loop = RECURSIVE_LOOP_DEFAULT if config is None else config.recursive_loop
    return is_loop(times_in_chain) and recursive_loop != "Allow"
