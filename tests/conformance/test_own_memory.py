"""The server's own memory and files: closed to others of this machine, to those of the same user too."""

import base64
import os
import resource
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live_server import LiveServer

KEY = base64.b64encode(b"lampion-test-master-key-32-bytes").decode()
PLAIN = "lampion-test-plain-variable"


@pytest.fixture(scope="module")
def server(marked_root: Path) -> Iterator[LiveServer]:
    environ = {"LAMPION_MASTER_KEY": KEY, "LAMPION_TEST_PLAIN": PLAIN}
    with LiveServer(data=marked_root / "closed", environ=environ) as started:
        yield started


def test_no_core_is_written_and_none_is_piped(server: LiveServer) -> None:
    assert server.process is not None
    soft, hard = resource.prlimit(server.process.pid, resource.RLIMIT_CORE)
    assert soft in (0, 1), "1 is what the kernel takes as none, also for a program of the machine (core(5))"
    assert hard == resource.getrlimit(resource.RLIMIT_CORE)[1], "functions may have one of their own"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_nothing_but_root_looks_into_it() -> None:
    """What the server calls first makes the kernel refuse; that it called it is told by its limit on cores."""
    code = """
        import ctypes, os
        from lampion.app.own_memory import close_memory
        os.setresuid(65534, 65534, 65534)
        ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
        owners = [os.stat("/proc/self/mem").st_uid]
        close_memory()
        owners.append(os.stat("/proc/self/mem").st_uid)
        print(*owners)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout.split() == ["65534", "0"]


def test_the_master_key_is_not_in_its_environment(server: LiveServer) -> None:
    assert server.process is not None
    environ = Path(f"/proc/{server.process.pid}/environ").read_bytes()
    assert PLAIN.encode() in environ
    assert KEY.encode() not in environ
    assert KEY.encode() not in Path(f"/proc/{server.process.pid}/cmdline").read_bytes()


def test_what_it_writes_is_its_owners_alone(server: LiveServer) -> None:
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    for name in ("lampion.db", "queues.db", "lock"):
        for path in server.data.glob(f"{name}*"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_files_with_secrets_that_are_open_to_others_are_told_of(
    start_server: Callable[..., LiveServer], tmp_path: Path
) -> None:
    logins, config = tmp_path / "logins.json", tmp_path / "lampion.toml"
    logins.write_text("{}")
    config.write_text('[services.sqs]\nendpoint = "http://127.0.0.1:1"\naccess_key_id = "a"\nsecret_access_key = "b"\n')
    for path in (logins, config):
        path.chmod(0o644)
    options = ("--image-logins", str(logins), "--config", str(config))
    told = [line for line in start_server(*options).output.splitlines() if "open to others" in line]
    assert [path for path in (logins, config) if any(f"chmod 600 {path}" in line for line in told)] == [logins, config]
    for path in (logins, config):
        path.chmod(0o600)
    assert "open to others" not in start_server(*options).output
