"""Which kernel modules must be loaded, and in which order. Pure."""

import re
from collections.abc import Callable, Collection, Iterable
from typing import Final

_DEPENDENCIES: Final = re.compile(rb"(?:^|\0)depends=([^\0]*)\0")


def dependencies(module: bytes) -> tuple[str, ...]:
    """The modules that a module says it needs (the content of its .ko file)."""
    match = _DEPENDENCIES.search(module)
    return tuple(name for name in match[1].decode().split(",") if name) if match else ()


def load_order(wanted: Iterable[str], builtin: Collection[str], needs: Callable[[str], Iterable[str]]) -> list[str]:
    """`wanted` and all they need, each once and after what it needs; those built into the kernel are left out."""
    order: list[str] = []

    def add(name: str) -> None:
        name = canonical(name)
        if name in order or name in builtin:
            return
        for needed in needs(name):
            add(needed)
        order.append(name)

    for name in wanted:
        add(name)
    return order


def canonical(name: str) -> str:
    """The kernel takes - and _ in a module's name for the same."""
    return name.replace("-", "_")
