"""Drivers to test, each closed at the end; nothing of theirs may remain."""

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from lampion.sandbox.driver import Driver
from lampion.sandbox.drivers.namespace import NamespaceDriver
from lampion.sandbox.drivers.process import ProcessDriver
from lampion.sandbox.guarded import Guarded
from tests.sandbox.boxes import CLOCK, CopyingDriver, cgroups_named

CGROUP_PARENT = f"lampion-test-{os.getpid()}"


@pytest.fixture
async def namespace() -> AsyncIterator[NamespaceDriver]:
    driver = NamespaceDriver(CLOCK, CGROUP_PARENT)
    yield driver
    await driver.close()
    assert cgroups_named(CGROUP_PARENT) == []


_DRIVERS: dict[str, Callable[[], Driver]] = {
    "process": lambda: ProcessDriver(CLOCK),
    "namespace": lambda: NamespaceDriver(CLOCK, CGROUP_PARENT),
    "guarded namespace": lambda: Guarded(NamespaceDriver(CLOCK, CGROUP_PARENT), CLOCK),
    "namespace, copies": lambda: CopyingDriver(CLOCK, CGROUP_PARENT),
}


@pytest.fixture(params=_DRIVERS)
async def driver(request: pytest.FixtureRequest) -> AsyncIterator[Driver]:
    made = _DRIVERS[request.param]()
    before = set(Path("/proc/self/fd").iterdir())
    mounts = Path("/proc/self/mountinfo").read_text()
    yield made
    await made.close()
    assert cgroups_named(CGROUP_PARENT) == []
    assert set(Path("/proc/self/fd").iterdir()) <= before, "descriptors are left open"
    assert Path("/proc/self/mountinfo").read_text() == mounts


@pytest.fixture
def task(tmp_path: Path) -> Path:
    """A directory for code, readable by the sandbox's user as code must be."""
    tmp_path.chmod(0o755)
    return tmp_path
