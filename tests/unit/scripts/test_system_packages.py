"""scripts/system-packages and scripts/find-python: what is missing is named with the command that installs it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

GCC_WORKS = "#!/bin/sh\nexit 0\n"
GCC_FINDS_NO_HEADERS = "#!/bin/sh\nexit 1\n"
APT_GET = '#!/bin/sh\necho "apt-get $*" >>"$(dirname "$0")/installed"\n'


def machine(folder: Path, *, user_id: int = 1000, python: bool = True, programs: dict[str, str]) -> Path:
    """A PATH with a shell, `id` as that user, Python if wanted, and the programs given as scripts."""
    for name in ("sh", "dirname"):
        (folder / name).symlink_to(shutil.which(name) or name)
    for name, script in {**programs, "id": f"#!/bin/sh\necho {user_id}\n"}.items():
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    if python:
        (folder / "python3").symlink_to(Path(sys.executable).resolve())
    return folder


def run(script: str, path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(path / "sh"), str(ROOT / "scripts" / script), *arguments],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_complete_machine_is_silent(tmp_path: Path) -> None:
    done = run("system-packages", machine(tmp_path, programs={"gcc": GCC_WORKS, "node": "", "npm": ""}), "node")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_root_also_needs_what_makes_disks(tmp_path: Path) -> None:
    complete = {"gcc": GCC_WORKS, "mke2fs": "", "apt-get": APT_GET}
    assert run("system-packages", machine(tmp_path, user_id=0, programs=complete)).stderr == ""
    (tmp_path / "mke2fs").unlink()
    done = run("system-packages", tmp_path)
    assert "missing: e2fsprogs (makes the disks behind /tmp of functions)" in done.stderr
    assert "install -y --no-install-recommends e2fsprogs" in (tmp_path / "installed").read_text()


@pytest.mark.parametrize(
    ("programs", "word", "packages"),
    [
        ({}, "", "gcc libc6-dev"),
        ({"gcc": GCC_FINDS_NO_HEADERS}, "", "libc6-dev"),
        ({"gcc": GCC_WORKS}, "node", "nodejs npm"),
        ({"gcc": GCC_WORKS, "node": ""}, "node", "npm"),
        ({"gcc": GCC_WORKS}, "guest", "qemu-system-x86 uidmap"),
    ],
)
def test_an_ordinary_user_is_told_the_command(
    tmp_path: Path, programs: dict[str, str], word: str, packages: str
) -> None:
    done = run("system-packages", machine(tmp_path, programs={**programs, "apt-get": APT_GET}), *filter(None, [word]))
    assert done.returncode == 1
    assert f"fix: sudo apt-get update && sudo apt-get install -y --no-install-recommends {packages}\n" in done.stderr
    assert not (tmp_path / "installed").exists()


def test_root_gets_it_installed(tmp_path: Path) -> None:
    done = run("system-packages", machine(tmp_path, user_id=0, programs={"gcc": GCC_WORKS, "apt-get": APT_GET}), "node")
    assert done.returncode == 0
    assert (tmp_path / "installed").read_text().splitlines() == [
        "apt-get update -qq",
        "apt-get install -y --no-install-recommends e2fsprogs nodejs npm",
    ]


def find_python(folder: Path) -> subprocess.CompletedProcess[str]:
    """scripts/find-python on a machine whose system has no Python of its own."""
    script = (ROOT / "scripts" / "find-python").read_text().replace(" /usr/bin/python3", "")
    (folder / "find-python").write_text(script)
    (folder / "find-python").chmod(0o755)
    return subprocess.run(
        [str(folder / "find-python")], env={"PATH": str(folder)}, capture_output=True, text=True, check=False
    )


def program(file: Path, script: str) -> None:
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def test_a_python_is_found(tmp_path: Path) -> None:
    found = find_python(machine(tmp_path, programs={}))
    assert found.returncode == 0
    assert Path(found.stdout.strip()).exists()
    # A shim that only pretends comes first on PATH, and is passed over.
    program(tmp_path / "python3.13", "exit 127")
    assert find_python(tmp_path).stdout == found.stdout


def test_a_python_without_venv_is_the_last_choice(tmp_path: Path) -> None:
    program(tmp_path / "python3.13", 'case "$2" in *venv*) exit 1;; *print*) echo poor;; esac')
    found = find_python(machine(tmp_path, programs={}))
    assert found.stdout.strip() not in ("", "poor")
    (tmp_path / "python3").unlink()
    assert find_python(tmp_path).stdout == "poor\n"


def test_the_system_s_own_python_comes_first(tmp_path: Path) -> None:
    script = (ROOT / "scripts" / "find-python").read_text().replace("/usr/bin/python3", str(tmp_path / "own"))
    path = machine(tmp_path, programs={})
    program(tmp_path / "own", 'case "$2" in *print*) echo own;; esac')
    program(tmp_path / "find", script)
    done = subprocess.run(
        [str(tmp_path / "find")], env={"PATH": str(path)}, capture_output=True, text=True, check=False
    )
    assert done.stdout == "own\n"


def test_without_python_both_packages_are_named(tmp_path: Path) -> None:
    path = machine(tmp_path, python=False, programs={"gcc": GCC_WORKS})
    assert find_python(path).returncode == 1
    shutil.copy(ROOT / "scripts" / "system-packages", path)
    done = subprocess.run(
        [str(path / "system-packages")], env={"PATH": str(path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "install -y --no-install-recommends python3 python3-venv\n" in done.stderr
