"""Runs a function's hooks around its snapshot. Module, functions and calls are named as in AWS's runtime: they appear in
the stack traces of failing hooks."""

import sys

if False:
    from typing import Any


def run_before_snapshot() -> None:
    """The hook registered last first; each is taken off the list, which a hook may still lengthen."""
    hooks = _hooks("get_before_snapshot")
    while hooks:
        func, args, kwargs = hooks.pop()
        func(*args, **kwargs)


def run_after_restore() -> None:
    """In the order of registration."""
    for func, args, kwargs in _hooks("get_after_restore"):
        func(*args, **kwargs)


def _hooks(getter: str) -> "Any":
    """The list of hooks of `snapshot_restore_py`, the function's own copy of it if it has one; none if it isn't used."""
    module = sys.modules.get("snapshot_restore_py")
    return [] if module is None else getattr(module, getter)()
