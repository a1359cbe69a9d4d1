"""The launcher's filter of system calls as a section of an OCI configuration. Pure.

The list is the launcher's own (launcher/system_calls.h); the calls that depend on arguments mirror its seccomp.c,
which tests/sandbox/test_oci_values.py compares.
"""

import errno
import re
from collections.abc import Iterable
from typing import Any, Final

_ARCHITECTURES: Final = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}
_CALL: Final = re.compile(r"\b(?:CALL\((\w+)\)|NEW\((\w+), *\d+\))")
_SECTION: Final = re.compile(r"^#(?:el)?if defined\(__(\w+)__\)$|^#(endif)", re.MULTILINE)
_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_INT_BITS: Final = 32
_INT_MASK: Final = 0xFFFF_FFFF

FAMILIES: Final = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6
PAIR_FAMILIES: Final = (1,)
TERMINAL_TRICKS: Final = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
FILTERS: Final = (22,)  # PR_SET_SECCOMP
PERSONALITIES: Final = (0, 0x8, 0x20000, 0x20008, 0xFFFF_FFFF)
NAMESPACES: Final = 0x7E02_0000  # every CLONE_NEW... that fits into `clone`, but for that of time

Rule = dict[str, Any]


def seccomp_section(system_calls: str, machine: str) -> dict[str, Any] | None:
    """From the text of system_calls.h; None for a machine that the list doesn't know."""
    if machine not in _ARCHITECTURES:
        return None
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": errno.EPERM,
        "architectures": [_ARCHITECTURES[machine]],
        "syscalls": [_allow(listed_calls(system_calls, machine)), *_by_arguments()],
    }


def listed_calls(system_calls: str, machine: str) -> list[str]:
    """The calls that pass whatever their arguments, in the header's order."""
    text = _COMMENT.sub("", system_calls)
    names: list[str] = []
    place, current = 0, machine
    for mark in [*_SECTION.finditer(text), None]:
        if current == machine:
            piece = text[place : mark.start() if mark else len(text)]
            names += [first or second for first, second in _CALL.findall(piece)]
        if mark is not None:
            place = mark.end()
            current = machine if mark[2] else mark[1]
    return names


def others(values: Iterable[int]) -> list[tuple[int, int]]:
    """(mask, value) pairs, of which one or another fits every 32-bit number that isn't among `values`.

    What a filter sees has 64 bits, of which the kernel uses 32 for an `int`: "not equal" would let a number pass that
    differs in the upper half only.
    """
    return _outside(frozenset(values), 0, 0, _INT_BITS)


def _outside(forbidden: frozenset[int], mask: int, value: int, bits: int) -> list[tuple[int, int]]:
    if not any(number & mask == value for number in forbidden):
        return [(mask, value)]
    if bits == 0:
        return []
    bit = 1 << (bits - 1)
    return [pair for half in (value, value | bit) for pair in _outside(forbidden, mask | bit, half, bits - 1)]


def _by_arguments() -> list[Rule]:
    exact = [(_INT_MASK, number) for number in PERSONALITIES]
    return [
        *_choose("socket", 0, FAMILIES, errno.EAFNOSUPPORT),
        *_choose("socketpair", 0, PAIR_FAMILIES, errno.EAFNOSUPPORT),
        *(_allow(["ioctl"], _masked(1, mask, value)) for mask, value in others(TERMINAL_TRICKS)),
        *(_allow(["prctl"], _masked(0, mask, value)) for mask, value in others(FILTERS)),
        *(_allow(["personality"], _masked(0, mask, value)) for mask, value in exact),
        _allow(["clone"], _masked(0, NAMESPACES, 0)),
        # Its flags lie in memory, where no filter can see them; the C library falls back to clone.
        _refuse(["clone3"], errno.ENOSYS),
        # Would flush what the whole machine has written; it succeeds, having done nothing.
        _refuse(["sync", "syncfs"], 0),
    ]


def _choose(name: str, argument: int, allowed: Iterable[int], error: int) -> list[Rule]:
    """Pass with these values, and with all others a telling error."""
    values = tuple(allowed)
    return [
        *(_allow([name], _masked(argument, _INT_MASK, value)) for value in values),
        *(_refuse([name], error, _masked(argument, mask, value)) for mask, value in others(values)),
    ]


def _masked(index: int, mask: int, value: int) -> dict[str, Any]:
    return {"index": index, "value": mask, "valueTwo": value, "op": "SCMP_CMP_MASKED_EQ"}


def _allow(names: list[str], *args: dict[str, Any]) -> Rule:
    return {"names": names, "action": "SCMP_ACT_ALLOW", "args": list(args)}


def _refuse(names: list[str], error: int, *args: dict[str, Any]) -> Rule:
    return {"names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": error, "args": list(args)}
