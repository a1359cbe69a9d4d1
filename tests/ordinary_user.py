"""An ordinary user for a while: with subordinate ids and a delegated cgroup subtree, or with neither. Needs root.

User, ids, cgroups and the copy of the project that this user can read are called lampion-test-..., and gone at the end.
"""

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.live_server import MARK, clean_environ, marked_directory

INTERPRETER = Path("/usr/bin/python3")
_ROOT = Path(__file__).resolve().parents[1]
_PACKAGES = (
    "boto3",
    "botocore",
    "click",
    "dateutil",
    "httptools",
    "jmespath",
    "msgspec",
    "s3transfer",
    "urllib3",
    "uvloop",
)
_MODULES = ("six.py",)
_CGROUPS = Path("/sys/fs/cgroup")
_CONTROLLERS = ("memory", "cpu", "pids", "freezer", "cpuacct")
_IDS = 65_536
_FIRST_ID = 1_700_000_000 + os.getpid() % 1024 * _IDS
"""Far from what distributions give away, and another range for each run."""
_ENTER = """
import os, sys
user, group, count = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
for path in sys.argv[4:4 + count]:
    with open(path, "w") as file: file.write(str(os.getpid()))
os.setgroups([]); os.setresgid(group, group, group); os.setresuid(user, user, user)
os.chdir(sys.argv[4 + count])
os.execv(sys.argv[5 + count], sys.argv[5 + count:])
"""


@dataclass(frozen=True, slots=True)
class OrdinaryUser:
    """Who it is, and how to run this project's modules as this user."""

    name: str
    user_id: int
    group_id: int
    home: Path
    cgroup_files: tuple[str, ...]
    subordinate_ids: range

    def command(self, *arguments: str) -> list[str]:
        """`python ARGUMENTS`, in the user's cgroups, as the user. To be started by root."""
        enter = [str(self.user_id), str(self.group_id), str(len(self.cgroup_files)), *self.cgroup_files]
        return [sys.executable, "-c", _ENTER, *enter, str(self.home), str(INTERPRETER), *arguments]

    def environ(self) -> dict[str, str]:
        places = (self.home, self.home / "src", self.home / "site-packages")
        kept = {name: value for name, value in clean_environ().items() if name in ("PATH", "LANG")}
        return {
            **kept,
            "HOME": str(self.home),
            "USER": self.name,
            "PYTHONPATH": ":".join(map(str, places)),
            "PYTHONDONTWRITEBYTECODE": "1",
        }


def missing() -> str:
    """What this machine lacks for it; empty when nothing."""
    if os.geteuid() != 0:
        return "only root can make another user"
    tools = [tool for tool in ("useradd", "userdel", "usermod", "newuidmap", "newgidmap") if shutil.which(tool) is None]
    if tools:
        return f"{', '.join(tools)}: apt-get install passwd uidmap"
    asked = [str(INTERPRETER), "-c", "import sys; print(sys.version_info[:2])"]
    found = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    if found != str(sys.version_info[:2]):
        return f"{INTERPRETER} is {found}, and our packages are for {sys.version_info[:2]}"
    return ""


@contextmanager
def ordinary_user(*, has_ids: bool, has_cgroups: bool) -> Iterator[OrdinaryUser]:
    """`has_ids`: subordinate user and group ids; `has_cgroups`: a subtree of every controller is theirs."""
    name = f"{MARK}-u"[-31:].lstrip("-")
    with contextlib.ExitStack() as stack:
        account = stack.enter_context(_account(name, has_ids=has_ids))
        root = stack.enter_context(marked_directory())
        home = root / "home"
        _copy_project(home)
        _give_to(account, root)
        files = stack.enter_context(_delegated(f"{MARK}-user", account)) if has_cgroups else ()
        ids = range(_FIRST_ID, _FIRST_ID + _IDS) if has_ids else range(0)
        yield OrdinaryUser(name, account.pw_uid, account.pw_gid, home, tuple(files), ids)


@contextmanager
def _account(name: str, *, has_ids: bool) -> Iterator[pwd.struct_passwd]:
    _administer("useradd", "--no-create-home", "--no-log-init", "--user-group", "--shell", "/usr/sbin/nologin", name)
    try:
        _forget_ids(name)
        if has_ids:
            ids = f"{_FIRST_ID}-{_FIRST_ID + _IDS - 1}"
            _administer("usermod", "--add-subuids", ids, "--add-subgids", ids, name)
        yield pwd.getpwnam(name)
    finally:
        _end_processes_of(pwd.getpwnam(name).pw_uid)
        _administer("userdel", name)


def _forget_ids(name: str) -> None:
    """useradd may have given some, by the distribution's settings."""
    for file, option in (("/etc/subuid", "--del-subuids"), ("/etc/subgid", "--del-subgids")):
        with contextlib.suppress(FileNotFoundError):
            for line in Path(file).read_text().splitlines():
                owner, first, count = line.split(":")
                if owner == name:
                    _administer("usermod", option, f"{first}-{int(first) + int(count) - 1}", name)


def _end_processes_of(user_id: int) -> None:
    """Those of a user that we made ourselves, so all of them are ours."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if process.stat().st_uid == user_id or _FIRST_ID <= process.stat().st_uid < _FIRST_ID + _IDS:
                os.kill(int(process.name), 9)


def _administer(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)


def _copy_project(home: Path) -> None:
    """Sources with the built launcher, and the packages that they import; times kept, so that nothing is built anew."""
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", "*.pyc")
    for folder in ("src", "tests"):
        shutil.copytree(_ROOT / folder, home / folder, ignore=ignored)
    (home / "docs" / "concepts").mkdir(parents=True)
    shutil.copy(_ROOT / "docs" / "concepts" / "isolation.md", home / "docs" / "concepts")
    packages = next(Path(place) for place in sys.path if place.endswith("site-packages"))
    for package in _PACKAGES:
        shutil.copytree(packages / package, home / "site-packages" / package, ignore=_unused)
    for module in _MODULES:
        shutil.copy(packages / module, home / "site-packages")


def _unused(folder: str, names: list[str]) -> set[str]:
    """Compiled files, and botocore's models of all services but ours."""
    if folder.endswith("botocore/data"):
        return {name for name in names if not name.endswith(".json") and name != "lambda"}
    return {name for name in names if name == "__pycache__"}


def _give_to(account: pwd.struct_passwd, root: Path) -> None:
    root.chmod(0o755)
    for path in [root / "home", *(root / "home").rglob("*")]:
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


@contextmanager
def _delegated(name: str, account: pwd.struct_passwd) -> Iterator[list[str]]:
    """A directory of every hierarchy; what the user must write to enter it."""
    tops = [_CGROUPS / controller for controller in _CONTROLLERS if (_CGROUPS / controller).is_dir()] or [_CGROUPS]
    made = [top / name for top in tops]
    try:
        for directory in made:
            directory.mkdir()
            os.chown(directory, account.pw_uid, account.pw_gid)
            for file in ("cgroup.procs", "tasks", "cgroup.threads", "cgroup.subtree_control"):
                with contextlib.suppress(FileNotFoundError):
                    os.chown(directory / file, account.pw_uid, account.pw_gid)
        yield [str(directory / "cgroup.procs") for directory in made]
    finally:
        for directory in made:
            _remove(directory)


def _remove(directory: Path) -> None:
    for _ in range(100):
        below = sorted((Path(folder) for folder, _, _ in os.walk(directory)), reverse=True)
        with contextlib.suppress(OSError):
            for each in below:
                each.rmdir()
        if not directory.exists():
            return
        time.sleep(0.05)
    raise AssertionError(f"{directory} can't be removed; something still runs in it")


def run_as(user: OrdinaryUser, arguments: Sequence[str], seconds: float) -> subprocess.CompletedProcess[bytes]:
    """Wait for `python ARGUMENTS` run as the user; standard error goes where ours goes."""
    return subprocess.run(
        user.command(*arguments),
        env=user.environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        timeout=seconds,
        check=True,
    )
