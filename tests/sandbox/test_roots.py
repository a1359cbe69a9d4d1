"""Sandboxes that stand on a directory of their own instead of the host: what they see, and can't write."""

import os
import subprocess
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from lampion.sandbox.driver import Driver, Exit, ProgramError, SandboxError, WorkingDirectoryError
from lampion.sandbox.drivers.namespace import NamespaceDriver
from lampion.sandbox.drivers.process import ProcessDriver
from lampion.sandbox.network import firewall
from lampion.sandbox.network.router import Outside
from lampion.sandbox.spec import Limits, Mount, Network, NetworkMode, SandboxSpec, SharedDirectory
from tests.sandbox.boxes import CLOCK, run
from tests.sandbox.conftest import CGROUP_PARENT
from tests.sandbox.internet import DNS, tiny_internet

SOURCE = Path(__file__).with_name("show.c")


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("program") / "show"
    subprocess.run(["gcc", "-static", "-O1", "-o", str(place), str(SOURCE)], check=True)
    return place


@pytest.fixture
def root(task: Path, program: Path) -> Path:
    """A root directory with a program, a link, and places for what sandboxes have of their own."""
    place = task / "root"
    for name in ("usr/bin", "etc", "dev", "proc", "tmp", "data"):
        (place / name).mkdir(parents=True)
    (place / "usr/bin/show").write_bytes(program.read_bytes())
    (place / "usr/bin/show").chmod(0o755)
    (place / "bin").symlink_to("usr/bin")
    (place / "file").write_text("at the root")
    (place / "etc/resolv.conf").write_text("the image's")
    (place / "tmp/hidden").write_text("never seen")
    (place / "etc/shadow").write_text("secret")
    (place / "etc/shadow").chmod(0o400)
    return place


def spec(root: Path, *argv: str, network: Network | None = None, directory: str = "/", **more: object) -> SandboxSpec:
    return SandboxSpec(
        sandbox_id="rooted",
        argv=argv,
        environ={"PATH": "/bin"},
        working_directory=directory,
        mounts=more.get("mounts", ()),  # type: ignore[arg-type]
        limits=Limits(memory_mib=128, cpu_cores=1.0),
        network=network or Network(),
        root=root,
    )


async def test_a_root_is_all_that_is_seen_and_cannot_be_written(driver: Driver, root: Path, task: Path) -> None:
    if isinstance(driver, ProcessDriver):
        with pytest.raises(SandboxError, match="no root directory of their own"):
            await driver.start(spec(root, "/bin/show"))
        return
    (task / "opt").mkdir()
    (task / "opt/layer").write_text("mounted")
    paths = ("/", "/file", "/etc/resolv.conf", "/etc/shadow", "/tmp", "/opt/layer")
    ending, output = await run(driver, spec(root, "/bin/show", *paths, mounts=(Mount(task / "opt", "/opt"),)))
    names, file, resolver, shadow, temporary, layer, _ = output.split("\n")
    assert ending == Exit(0)
    assert set(names.split()) - {"init"} == {
        *(".", "..", "bin", "data", "dev", "etc", "file", "opt", "proc", "sys", "tmp", "usr")
    }
    assert (file, resolver, shadow, layer) == ("at the root", "the image's", "Permission denied", "mounted")
    assert "hidden" not in temporary


@pytest.mark.parametrize(
    ("executable", "directory", "error", "problem"),
    [
        ("/bin/absent", "/", ProgramError, "No such file or directory"),
        ("/file", "/", ProgramError, "Permission denied"),
        ("/bin/show", "/absent", WorkingDirectoryError, "No such file or directory"),
        ("/bin/show", "/file", WorkingDirectoryError, "Not a directory"),
    ],
)
async def test_what_cannot_be_started_is_told_apart_from_faults_of_ours(
    driver: Driver,
    root: Path,
    executable: str,
    directory: str,
    error: type[ProgramError] | type[WorkingDirectoryError],
    problem: str,
) -> None:
    if isinstance(driver, ProcessDriver):
        return  # it has no root directories, see above
    with pytest.raises(error) as raised:
        await driver.start(spec(root, executable, directory=directory))
    assert isinstance(raised.value, error)
    assert raised.value.problem == problem


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may show a directory as another user's")
async def test_an_images_empty_mnt_takes_a_shared_directory(namespace: NamespaceDriver, root: Path, task: Path) -> None:
    (root / "mnt").mkdir()
    (task / "shared").mkdir()
    (task / "shared/file").write_text("shared")
    view = SharedDirectory(source=task / "shared", beneath="", target="/mnt/files", user_id=1000, group_id=1000)
    wanted = replace(spec(root, "/bin/show", "/mnt/files/file", "/mnt"), shared=view)
    ending, output = await run(namespace, wanted)
    assert (ending, output.splitlines()[0]) == (Exit(0), "shared")
    assert "files" in output.splitlines()[1]


async def test_a_root_that_is_not_there_is_a_fault_of_ours(namespace: NamespaceDriver, task: Path) -> None:
    with pytest.raises(SandboxError, match="can't be read"):
        await namespace.start(spec(task / "absent", "/bin/show"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make interfaces and firewall rules")
@pytest.mark.skipif(firewall.find_nft() is None, reason="needs nft; scripts/system-packages network installs it")
async def test_with_a_way_out_the_images_name_servers_are_covered(root: Path) -> None:
    with tiny_internet():
        driver = NamespaceDriver(CLOCK, CGROUP_PARENT, stock=2, outside=Outside(dns=(IPv4Address(DNS),)))
        try:
            egress = Network(NetworkMode.EGRESS)
            ending, output = await run(driver, spec(root, "/bin/show", "/etc/resolv.conf", "/", network=egress))
            assert (ending, output.splitlines()[0]) == (Exit(0), f"nameserver {DNS}")
            assert ".cover" not in output
            (root / "etc/resolv.conf").unlink()
            (root / "etc/resolv.conf").symlink_to("/file")
            _, output = await run(driver, spec(root, "/bin/show", "/etc/resolv.conf", network=egress))
            assert output == "at the root\n"  # never written through a link of the image
        finally:
            await driver.close()
