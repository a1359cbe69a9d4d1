"""How an unpacked package becomes a tree, with bytecode for a runtime that compiles: what is mounted never changes."""

from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from lampion.code.bytecode import CompilePython, add_bytecode, is_compiled
from lampion.code.interpreters import Interpreter, RuntimeBase
from lampion.code.trees import Fill

UNCOMPILED: Final = ""
"""What a tree was made from that has no bytecode."""


class Recipe(NamedTuple):
    """What Trees.prepare is told. Names are <name>[.<runtime>]."""

    name: str
    made_from: str
    fill: Fill


def recipe(name: str, unpack: Fill, base: RuntimeBase | None, compiler: CompilePython, *, root: str) -> Recipe:
    """Of the tree that functions of `base` see at `root`."""
    if base is None or not is_compiled(base):
        return Recipe(name, UNCOMPILED, unpack)
    return Recipe(f"{name}.{base.runtime}", base.version, partial(_compile, unpack, base, compiler, root))


def package_of(tree_name: str) -> str:
    """The name of what was unpacked there."""
    return tree_name.partition(".")[0]


async def _compile(unpack: Fill, interpreter: Interpreter, compiler: CompilePython, root: str, tree: Path) -> str:
    await unpack(tree)
    is_done = await add_bytecode(tree, interpreter, compiler, root=root)
    return interpreter.version if is_done else UNCOMPILED  # the next server tries again
