"""`lampion serve`: what it starts gets none of the secrets that it was given in variables."""

import base64
import os

import pytest
from click.testing import CliRunner

import lampion.app
from lampion.cli import serve
from lampion.config import Settings

KEY = b"k" * 32
SECRETS = {
    "LAMPION_MASTER_KEY": base64.b64encode(KEY).decode(),
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token",
}


def test_secrets_are_taken_out_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[bytes | None, list[str]]] = []

    def run(settings: Settings) -> None:
        seen.append((settings.given_master_key, [name for name in SECRETS if name in os.environ]))

    monkeypatch.setattr(lampion.app, "run", run)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(serve.command, [])
    assert (result.exit_code, seen) == (0, [(KEY, [])])
