"""Drivers to test, each closed at the end; nothing of theirs may remain."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from lampion.sandbox.driver import Driver
from lampion.sandbox.drivers.namespace import NamespaceDriver
from lampion.sandbox.drivers.oci import OciDriver
from lampion.sandbox.drivers.process import ProcessDriver
from lampion.sandbox.guarded import Guarded
from tests.sandbox.boxes import CLOCK, CopyingDriver, cgroups_named, disks_in, eventually

CGROUP_PARENT = f"lampion-test-{os.getpid()}"


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Where the disks of sandboxes lie: not in memory, as /tmp may. Nothing in it ever has a name."""
    with tempfile.TemporaryDirectory(prefix="lampion-test-", dir="/var/tmp") as name:
        yield Path(name)
        assert os.listdir(name) == []  # noqa: PTH208


@pytest.fixture
async def namespace(scratch: Path) -> AsyncIterator[NamespaceDriver]:
    driver = NamespaceDriver(CLOCK, CGROUP_PARENT, scratch=scratch)
    yield driver
    await driver.close()
    assert cgroups_named(CGROUP_PARENT) == []
    assert await eventually(lambda: disks_in(scratch) == [])


def make_oci(runtime: str) -> OciDriver:
    """Skips the test where this can't be."""
    if os.geteuid() != 0:
        pytest.skip("the OCI driver needs a server that is root")
    if shutil.which(runtime) is None:
        pytest.skip(f"there is no {runtime} on this machine: apt-get install {runtime}")
    return OciDriver(CLOCK, (runtime,), CGROUP_PARENT)


@pytest.fixture(params=["crun", "runc"])
async def oci(request: pytest.FixtureRequest) -> AsyncIterator[OciDriver]:
    driver = make_oci(request.param)
    yield driver
    await driver.close()
    assert cgroups_named(CGROUP_PARENT) == []
    assert list(Path("/run").glob(f"{CGROUP_PARENT}*")) == []


_DRIVERS: dict[str, Callable[[Path], Driver]] = {
    "process": lambda _: ProcessDriver(CLOCK),
    "namespace": lambda scratch: NamespaceDriver(CLOCK, CGROUP_PARENT, scratch=scratch),
    "guarded namespace": lambda scratch: Guarded(NamespaceDriver(CLOCK, CGROUP_PARENT, scratch=scratch), CLOCK),
    "namespace, copies": lambda scratch: CopyingDriver(CLOCK, CGROUP_PARENT, scratch=scratch),
    "oci crun": lambda _: make_oci("crun"),
    "oci runc": lambda _: make_oci("runc"),
}


@pytest.fixture(params=_DRIVERS)
async def driver(request: pytest.FixtureRequest, scratch: Path) -> AsyncIterator[Driver]:
    made = _DRIVERS[request.param](scratch)
    before = set(Path("/proc/self/fd").iterdir())
    mounts = Path("/proc/self/mountinfo").read_text()
    yield made
    await made.close()
    assert cgroups_named(CGROUP_PARENT) == []
    assert set(Path("/proc/self/fd").iterdir()) <= before, "descriptors are left open"
    assert Path("/proc/self/mountinfo").read_text() == mounts
    assert list(Path("/run").glob(f"{CGROUP_PARENT}*")) == []
    assert await eventually(lambda: disks_in(scratch) == [])


@pytest.fixture
def task(tmp_path: Path) -> Path:
    """A directory for code, readable by the sandbox's user as code must be."""
    tmp_path.chmod(0o755)
    return tmp_path
