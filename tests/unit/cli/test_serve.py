"""`lampion serve`: what it does before the server runs."""

import base64
import os

import pytest
from click.testing import CliRunner

from lampion.cli.main import lampion_command
from lampion.config import Settings

KEY = b"k" * 32
SECRETS = {
    "LAMPION_MASTER_KEY": base64.b64encode(KEY).decode(),
    "LAMPION_NEW_MASTER_KEY": base64.b64encode(b"n" * 32).decode(),
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token",
}


def test_secrets_are_taken_out_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[bytes | None, list[str]]] = []

    def run(settings: Settings) -> None:
        seen.append((settings.given_master_key, [name for name in SECRETS if name in os.environ]))

    monkeypatch.setattr("lampion.app.run", run)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(lampion_command, ["serve"], standalone_mode=False)
    assert (result.exit_code, seen) == (0, [(KEY, [])])
