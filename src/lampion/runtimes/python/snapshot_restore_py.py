"""Hooks around a SnapStart snapshot: register what is to run before it is taken and after a copy was made of it.

Functions import this module by this name on AWS too, where it is installed with the runtime. Both ways of use work:

    @register_before_snapshot
    def close_connections(): ...

    register_after_restore(connect, "db.internal", retries=3)
"""

__version__ = "1.0.0"
__all__ = ["register_before_snapshot", "register_after_restore"]

if False:
    from typing import Any, Callable, Dict, List, Tuple

    Hook = Tuple[Callable[..., Any], Tuple[Any, ...], Dict[str, Any]]

_before_snapshot = []  # type: List[Hook]
_after_restore = []  # type: List[Hook]


def register_before_snapshot(func, *args, **kwargs):  # type: ignore[no-untyped-def]
    """Call func(*args, **kwargs) before the snapshot, the function registered last first. Returns `func`."""
    _before_snapshot.append((func, args, kwargs))
    return func


def register_after_restore(func, *args, **kwargs):  # type: ignore[no-untyped-def]
    """Call func(*args, **kwargs) in each restored environment, in the order of registration. Returns `func`."""
    _after_restore.append((func, args, kwargs))
    return func


def get_before_snapshot():  # type: ignore[no-untyped-def]
    """The registered hooks as (function, args, kwargs), for the runtime."""
    return _before_snapshot


def get_after_restore():  # type: ignore[no-untyped-def]
    """The registered hooks as (function, args, kwargs), for the runtime."""
    return _after_restore
