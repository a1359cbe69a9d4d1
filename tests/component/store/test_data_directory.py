"""One server per data directory, private, and found by client commands."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lampion.store.data_directory import RunningServer, open_data_directory, running_server
from lampion.store.errors import DataDirectoryInUse, DataDirectoryUnusable

_HOLDER = """
import sys, time
from pathlib import Path
from lampion.store.data_directory import open_data_directory
held = open_data_directory(Path(sys.argv[1]))
held.announce(endpoint="http://127.0.0.1:9000", account_id="123456789012", region="us-east-1")
print("held", flush=True)
time.sleep(60)
"""


def test_it_is_made_private_with_its_parts(tmp_path: Path):
    path = tmp_path / "a" / "b"
    directory = open_data_directory(path)
    parts = [directory.blobs, directory.packages, directory.logs, directory.tmp]
    assert all(part.is_dir() and part.parent == path for part in parts)
    assert directory.database == path / "lampion.db"
    assert [part.stat().st_mode & 0o077 for part in [path, path / "lock", *parts]] == [0] * 6
    directory.close()


def test_a_second_server_is_refused_and_told_by_whom(tmp_path: Path):
    first = open_data_directory(tmp_path)
    first.announce(endpoint="http://127.0.0.1:9123", account_id="123456789012", region="us-east-1")
    with pytest.raises(DataDirectoryInUse) as refused:
        open_data_directory(tmp_path)
    for part in (str(tmp_path), f"process {os.getpid()}", "http://127.0.0.1:9123"):
        assert part in str(refused.value)
    first.close()
    open_data_directory(tmp_path).close()


def test_client_commands_see_who_runs_there_and_disturb_nobody(tmp_path: Path):
    assert running_server(tmp_path / "missing") is None
    assert running_server(tmp_path) is None
    held = open_data_directory(tmp_path)
    assert running_server(tmp_path) == RunningServer(os.getpid())
    held.announce(endpoint="http://[::1]:9000", account_id="123456789012", region="eu-west-1")
    assert running_server(tmp_path) == RunningServer(os.getpid(), "http://[::1]:9000", "123456789012", "eu-west-1")
    with pytest.raises(DataDirectoryInUse):
        open_data_directory(tmp_path)
    held.close()
    assert running_server(tmp_path) is None


def test_a_killed_server_frees_its_directory(tmp_path: Path):
    with subprocess.Popen([sys.executable, "-c", _HOLDER, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        found = running_server(tmp_path)
        assert found is not None
        assert (found.pid, found.endpoint) == (holder.pid, "http://127.0.0.1:9000")
        with pytest.raises(DataDirectoryInUse, match=str(holder.pid)):
            open_data_directory(tmp_path)
        holder.send_signal(signal.SIGKILL)
    assert running_server(tmp_path) is None
    open_data_directory(tmp_path).close()


def test_a_directory_of_something_else_is_left_alone(tmp_path: Path):
    (tmp_path / "thesis.tex").write_text("chapter one")
    tmp_path.chmod(0o755)
    with pytest.raises(DataDirectoryUnusable, match="something else"):
        open_data_directory(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_an_empty_directory_that_others_could_read_becomes_private(tmp_path: Path):
    tmp_path.chmod(0o755)
    open_data_directory(tmp_path).close()
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_a_path_through_a_file_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataDirectoryUnusable, match="can't be used"):
        open_data_directory(tmp_path / "file" / "data")
