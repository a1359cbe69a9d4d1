"""How many execution environments fit in the memory of this machine."""

import os
from pathlib import Path
from typing import Final

_MIB: Final = 1024 * 1024
_SMALLEST_ENVIRONMENT_BYTES: Final = 128 * _MIB
ENVIRONMENTS_MIN: Final = 4
ENVIRONMENTS_MAX: Final = 1000
MEMORY_SHARE: Final = 0.8


def environments_for_memory(total_bytes: int) -> int:
    """How many environments of the smallest size a machine of this much memory takes."""
    fitting = int(total_bytes * MEMORY_SHARE / _SMALLEST_ENVIRONMENT_BYTES)
    return max(ENVIRONMENTS_MIN, min(ENVIRONMENTS_MAX, fitting))


def memory_bytes() -> int:
    """Memory of this machine, or of the container around us when that is less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit_file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(limit_file).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit():
            total = min(total, int(text))
    return total
