"""Which server a command calls, and what it says when it can't tell."""

import os
from pathlib import Path

import pytest

from lampion.cli.failure import ExitCode, Failure
from lampion.cli.location import server_of


def test_another_users_data_directory_isnt_taken_for_one_without_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    with pytest.raises(Failure, match="can't be read") as caught:
        server_of(tmp_path)
    assert caught.value.exit_code is ExitCode.ACCESS_DENIED
