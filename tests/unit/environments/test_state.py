"""The lifecycle table: every move that exists, and that no other does."""

import itertools

import pytest

from lampion.environments.state import IllegalStep, Phase, Step, advance

MOVES = {
    (Phase.INIT, Step.READY): Phase.IDLE,
    (Phase.INIT, Step.INIT_FAILED): Phase.INIT_FAILED,
    (Phase.INIT, Step.STOP): Phase.SHUTDOWN,
    (Phase.RESTORE, Step.READY): Phase.IDLE,
    (Phase.RESTORE, Step.NO_SNAPSHOT): Phase.INIT,
    (Phase.RESTORE, Step.STOP): Phase.SHUTDOWN,
    (Phase.INIT_FAILED, Step.INVOKE): Phase.INVOKE,
    (Phase.INIT_FAILED, Step.STOP): Phase.SHUTDOWN,
    (Phase.IDLE, Step.INVOKE): Phase.INVOKE,
    (Phase.IDLE, Step.STOP): Phase.SHUTDOWN,
    (Phase.INVOKE, Step.ANSWERED): Phase.IDLE,
    (Phase.INVOKE, Step.STOP): Phase.SHUTDOWN,
    (Phase.SHUTDOWN, Step.ENDED): Phase.GONE,
}


@pytest.mark.parametrize(("phase", "step"), list(itertools.product(Phase, Step)))
def test_every_pair_of_phase_and_step(phase: Phase, step: Step) -> None:
    if (phase, step) in MOVES:
        assert advance(phase, step) is MOVES[phase, step]
        return
    with pytest.raises(IllegalStep) as caught:
        advance(phase, step)
    assert (caught.value.phase, caught.value.step) == (phase, step)


def test_every_phase_leads_to_the_end() -> None:
    for phase in Phase:
        while phase is not Phase.GONE:
            phase = advance(phase, Step.ENDED if phase is Phase.SHUTDOWN else Step.STOP)
