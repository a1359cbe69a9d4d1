"""kill -9 at random moments: every acknowledged change is there after a restart, nothing half-made is visible."""

import shutil
from pathlib import Path

import pytest

from tests.chaos.history import AcceptLog
from tests.chaos.kill9 import SEED, Chaos, run
from tests.live_server import LiveServer

_ROUNDS = 3
_SECONDS = 40.0


def test_what_was_acknowledged_survives_kill_9_whole(
    private_server: LiveServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with AcceptLog(tmp_path / "accepted") as log:
        outcome = run(private_server, log, rounds=_ROUNDS, seed=SEED, seconds=_SECONDS)
    with capsys.disabled():
        print(f"\n{outcome}")
    assert outcome.findings == []
    assert outcome.rounds >= 1
    assert outcome.acknowledged > 0
    assert outcome.orphans_possible > 0, "no sandbox was there to become an orphan"


def test_a_server_that_forgets_what_it_acknowledged_is_found_out(private_server: LiveServer, tmp_path: Path) -> None:
    data, older = private_server.data, tmp_path / "older"
    with AcceptLog(tmp_path / "accepted") as log:
        chaos = Chaos(private_server, log, SEED)
        chaos.round(load_seconds=0.2)
        assert chaos.outcome.findings == []
        private_server.stop()
        shutil.copytree(data, older)
        private_server.start()
        before = log.acknowledged

        def go_back() -> None:
            shutil.rmtree(data)
            shutil.copytree(older, data)

        chaos.round(load_seconds=0.6, meddle=go_back)
    assert log.acknowledged > before
    assert {finding.kind for finding in chaos.outcome.findings} & {"lost", "older", "resurrected"}
