"""`lampion master-key`: what is told of a move, and of one that isn't."""

import base64
from pathlib import Path

import pytest
from click.testing import CliRunner

import lampion.app.master_key
from lampion.cli.failure import ExitCode, Failure
from lampion.cli.main import lampion_command
from lampion.config import Settings
from lampion.config.master_key import KmsKey
from lampion.identity.rewrapping import Moved
from lampion.store.errors import MasterKeyUnusable, NotScrubbed, StoreError

KEY = b"k" * 32
TEXT = base64.b64encode(KEY).decode()


class Mover:
    """Stands for the move."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: Moved | StoreError) -> None:
        self.targets: list[Path | KmsKey | bytes] = []
        self._answer = answer
        monkeypatch.setattr(lampion.app.master_key, "move_master_key", self._move)

    async def _move(self, settings: Settings, to: Path | KmsKey | bytes) -> Moved:
        self.targets.append(to)
        if isinstance(self._answer, StoreError):
            raise self._answer
        return self._answer


def run(*arguments: str) -> str:
    command = ["master-key", "move", "--data", "/a/b", *arguments]
    result = CliRunner().invoke(lampion_command, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(
    ("to", "target", "started"),
    [
        ("file:/c/d", Path("/c/d"), "with --master-key /c/d"),
        ("/a/b.master-key", Path("/a/b.master-key"), "without --master-key"),
        ("kms:alias/x", KmsKey("alias/x"), "with --master-key kms:alias/x"),
        ("env", KEY, "with the variable LAMPION_MASTER_KEY"),
    ],
)
def test_how_the_server_is_started_afterwards_is_told(
    monkeypatch: pytest.MonkeyPatch, to: str, target: Path | KmsKey | bytes, started: str
) -> None:
    monkeypatch.setenv("LAMPION_NEW_MASTER_KEY", TEXT)
    mover = Mover(monkeypatch, Moved(keys=1))
    shown = run("--to", to)
    assert mover.targets == [target]
    assert shown == f"The master key is there now, 1 key wrapped anew by it. Start the server {started}.\n"
    assert TEXT not in shown


@pytest.mark.parametrize("text", ["", "short", TEXT + "AAAA"])
def test_what_is_no_key_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("LAMPION_NEW_MASTER_KEY", text)
    mover = Mover(monkeypatch, Moved())
    with pytest.raises(Failure, match="LAMPION_NEW_MASTER_KEY") as caught:
        run("--to", "env")
    assert mover.targets == []
    assert not text or text not in str(caught.value)


def test_one_that_is_done_but_not_cleaned_up_is_told_apart_from_one_that_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Mover(monkeypatch, NotScrubbed("lampion.db: database or disk is full."))
    with pytest.raises(Failure, match="is moved, but") as caught:
        run("--to", "/c/d")
    assert caught.value.exit_code is ExitCode.SERVER_ERROR
    assert "same command again" in caught.value.fix
    Mover(monkeypatch, MasterKeyUnusable("no"))
    with pytest.raises(Failure, match="stays where it is"):
        run("--to", "/c/d")
