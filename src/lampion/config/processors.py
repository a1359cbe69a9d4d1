"""How many processors this server may use."""

import os
from pathlib import Path


def processors(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Those that this process may run on, or whole ones of the container's quota around us when that is less."""
    usable = len(os.sched_getaffinity(0))
    quota = _quota(cgroup)
    return usable if quota is None else max(1, min(usable, int(quota)))


def _quota(cgroup: Path) -> float | None:
    """In processors: of version 2 of cgroups, or of version 1; None without a limit."""
    try:
        quota, period = (cgroup / "cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        try:
            quota = (cgroup / "cpu/cpu.cfs_quota_us").read_text(encoding="ascii").strip()
            period = (cgroup / "cpu/cpu.cfs_period_us").read_text(encoding="ascii").strip()
        except OSError:
            return None
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() and int(period) else None
