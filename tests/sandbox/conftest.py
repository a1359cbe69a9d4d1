"""Drivers to test, each closed at the end; nothing of theirs may remain."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lampion.sandbox.driver import Driver
from lampion.sandbox.drivers.namespace import NamespaceDriver
from lampion.sandbox.drivers.process import ProcessDriver
from lampion.sandbox.guarded import Guarded
from tests.sandbox.boxes import CLOCK, cgroups_named

CGROUP_PARENT = f"lampion-test-{os.getpid()}"


@pytest.fixture
async def namespace() -> AsyncIterator[NamespaceDriver]:
    driver = NamespaceDriver(CLOCK, CGROUP_PARENT)
    yield driver
    await driver.close()
    assert cgroups_named(CGROUP_PARENT) == []


@pytest.fixture(params=["namespace", "process", "guarded namespace"])
async def driver(request: pytest.FixtureRequest) -> AsyncIterator[Driver]:
    made: Driver = ProcessDriver(CLOCK) if request.param == "process" else NamespaceDriver(CLOCK, CGROUP_PARENT)
    if request.param.startswith("guarded"):
        made = Guarded(made, CLOCK)
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
