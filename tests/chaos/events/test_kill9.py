"""kill -9 at random moments under a load of events: what was accepted has ended once when all is quiet."""

import shutil
from pathlib import Path

import pytest

from tests.chaos.events.kill9 import EventChaos, options_for, run
from tests.live_server import LiveServer

_SEED = 9
_RATE = 400


@pytest.mark.parametrize(("sandbox", "rounds"), [("process", 3), ("auto", 2)])
def test_no_accepted_event_is_lost_and_none_ends_twice(
    marked_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], sandbox: str, rounds: int
) -> None:
    data = marked_root / f"events-{sandbox}"
    with LiveServer(data=data, options=options_for(sandbox)) as server:
        outcome = run(server, tmp_path, sandbox=sandbox, rounds=rounds, seed=_SEED, rate=_RATE)
    with capsys.disabled():
        print(f"\n{outcome}")
    assert outcome.findings == []
    assert outcome.rounds == rounds
    assert outcome.ended > outcome.accepted / 2 > 0
    assert outcome.ready_seconds
    if sandbox == "process":
        assert outcome.runs is not None
        assert outcome.runs >= outcome.ended


def test_a_server_that_forgets_events_is_found_out(marked_root: Path, tmp_path: Path) -> None:
    data, older = marked_root / "forgetful", tmp_path / "older"
    with LiveServer(data=data, options=options_for("auto")) as server:
        chaos = EventChaos(server, tmp_path, sandbox="auto", seed=_SEED, rate=_RATE)
        try:
            chaos.deploy()
            server.stop()
            shutil.copytree(data, older)
            server.start()

            def go_back() -> None:
                shutil.rmtree(data)
                shutil.copytree(older, data)

            chaos.round(go_back)
            outcome = chaos.end()
        finally:
            chaos.close()
    assert outcome.accepted > 0
    assert {finding.kind for finding in outcome.findings} == {"lost"}
