"""kill -9 while the master key moves: the old key opens everything or the new one does, and the move can be ended."""

from pathlib import Path

import pytest

from tests.chaos.master_key_move import SEED, run

_ROUNDS = 6


def test_a_killed_move_leaves_everything_to_one_of_the_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = run(tmp_path, rounds=_ROUNDS, seed=SEED)
    with capsys.disabled():
        print(f"\n{outcome}")
    assert outcome.findings == []
    assert outcome.by_old >= 1
    assert outcome.by_new >= 1
