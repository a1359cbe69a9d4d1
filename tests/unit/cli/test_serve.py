"""`lampion serve`: what it starts doesn't get the master key that it was given."""

import base64
import os

import pytest
from click.testing import CliRunner

from lampion.cli.main import lampion_command
from lampion.config import Settings

KEY = b"k" * 32


def test_the_master_key_is_taken_out_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[bytes | None, bool]] = []

    def run(settings: Settings) -> None:
        left = any("MASTER_KEY" in name for name in os.environ)
        seen.append((settings.given_master_key, left))

    monkeypatch.setattr("lampion.app.run", run)
    for name in ("LAMPION_MASTER_KEY", "LAMPION_NEW_MASTER_KEY"):
        monkeypatch.setenv(name, base64.b64encode(KEY).decode())
    result = CliRunner().invoke(lampion_command, ["serve"], standalone_mode=False)
    assert (result.exit_code, seen) == (0, [(KEY, False)])
