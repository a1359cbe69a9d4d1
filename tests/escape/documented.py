"""What the project promises in writing, read for comparison: allowed system calls, probes that are open."""

import platform
import re
import subprocess
from functools import cache
from pathlib import Path

import lampion
from lampion.sandbox.launcher.build import find_compiler

PAGE = Path(__file__).resolve().parents[2] / "docs" / "concepts" / "isolation.md"
_LAUNCHER = Path(lampion.__file__).parent / "sandbox" / "launcher"
_NEVER_FILTERED = {"uretprobe": 335, "uprobe": 336}
"""Since Linux 6.14 the kernel shows no filter these two (x86-64): they end whoever calls them anywhere but from a probe
that the machine's root has set."""

_ROW = re.compile(r"^\| `(?P<grade>\w+)` \| (?P<user>[^|]+?) \| (?P<open>[^|]*?) \|", re.MULTILINE)
_PROBE = re.compile(r"\b[PX]\d\d\b")


def allowed_system_calls(launcher: Path = _LAUNCHER) -> list[int] | None:
    """Numbers on this architecture of what the filter lets through, always or with some arguments.

    The list is the launcher's header, one CALL(name) or NEW(name, number) each; what depends on arguments is named
    in the filter itself. None where there is no filter.
    """
    header, rules = launcher / "system_calls.h", launcher / "seccomp.c"
    if not header.is_file():
        return None
    numbers, listed = system_call_numbers(), header.read_text()
    names = {*re.findall(r"\bCALL\((\w+)\)", listed), *re.findall(r"\b__NR_(\w+)", rules.read_text())}
    new = {int(number) for number in re.findall(r"\bNEW\(\w+, (\d+)\)", listed)}
    exempt = {*_NEVER_FILTERED.values()} if platform.machine() == "x86_64" else set()
    return sorted({numbers[name] for name in names if name in numbers} | new | exempt)


@cache
def system_call_numbers() -> dict[str, int]:
    """As the C library's headers name them here."""
    compiler = find_compiler()
    assert compiler is not None
    text = subprocess.run(
        [compiler, "-E", "-dM", "-include", "sys/syscall.h", "-xc", "/dev/null"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return {name: int(number) for name, number in re.findall(r"#define __NR_(\w+) (\d+)", text)}


def open_by_the_docs(grade: str, user: str) -> set[str] | None:
    """The probes that the page lists as open at this grade, for this kind of user; None without such a row."""
    for row in _ROW.finditer(PAGE.read_text(encoding="utf-8")):
        if (row["grade"], row["user"].strip()) == (grade, user):
            return set(_PROBE.findall(row["open"]))
    return None
