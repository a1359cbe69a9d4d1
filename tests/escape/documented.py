"""What docs/concepts/isolation.md promises, read for comparison: allowed system calls, probes that are open."""

import re
import subprocess
from functools import cache
from pathlib import Path

from lampion.sandbox.launcher.build import find_compiler

PAGE = Path(__file__).resolve().parents[2] / "docs" / "concepts" / "isolation.md"
_CALLS = re.compile(r"<!-- allowed system calls -->\n+```text\n(.*?)```", re.DOTALL)
_ROW = re.compile(r"^\| `(?P<grade>\w+)` \| (?P<user>[^|]+?) \| (?P<open>[^|]*?) \|", re.MULTILINE)
_PROBE = re.compile(r"\b[PX]\d\d\b")


def allowed_system_calls() -> list[int] | None:
    """Numbers on this architecture; None when the page has no list yet."""
    found = _CALLS.search(PAGE.read_text(encoding="utf-8"))
    if found is None:
        return None
    numbers = system_call_numbers()
    return sorted(numbers[name] for name in found[1].split() if name in numbers)


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
