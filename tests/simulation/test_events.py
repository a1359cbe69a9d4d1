"""Two thousand histories of the event side: nothing accepted is lost, each event ends once, no rule is broken.

To replay one: SIMULATION_SEEDS=1234 python -m pytest tests/simulation/test_events.py
"""

import os
from collections import Counter

import pytest

from lampion.domain.delivery import Purpose
from lampion.domain.event import policy_of
from lampion.domain.event_invoke_config import Destinations
from lampion.domain.invocation_record import Condition
from lampion.invoke.deliverer import UNDELIVERED
from lampion.invoke.purging import PURGED
from lampion.store.entries import Ending
from tests.simulation.events import AFTERWARDS, FAILED, NAMES, SUCCEEDED, History, World
from tests.simulation.functions import DEAD_LETTERS
from tests.simulation.loop import simulate

SEEDS = 2000
GROUPS = 20


def seeds_of(group: int) -> list[int]:
    chosen = os.environ.get("SIMULATION_SEEDS")
    if chosen is not None:
        return [int(seed) for seed in chosen.split()] if group == 0 else []
    return list(range(group, SEEDS, GROUPS))


@pytest.mark.parametrize("group", range(GROUPS))
def test_nothing_is_lost_and_no_rule_is_broken(group: int):
    for seed in seeds_of(group):
        try:
            judge(history_of(seed))
        except Exception as error:
            raise AssertionError(f"SIMULATION_SEEDS={seed} python -m pytest tests/simulation/test_events.py") from error


def history_of(seed: int) -> History:
    return simulate(seed, lambda loop: World(seed, loop).play())


def judge(history: History) -> None:
    endings = {name: own_endings(history, name) for name in (*NAMES, AFTERWARDS)}
    every_accepted_event_ends_once(history, endings)
    nothing_is_invented(history, endings)
    limits_are_kept(history)
    nothing_runs_in_another_functions_place(history)
    retries_are_as_configured(history, endings)
    ends_have_their_reasons(history, endings)
    results_arrive(history, endings)


def own_endings(history: History, name: str) -> list[Ending]:
    return [one for one in history.disk.endings.values() if one.queue[0] == "event" and one.queue.name == name]


def every_accepted_event_ends_once(history: History, endings: dict[str, list[Ending]]) -> None:
    ends = Counter(one.request_id for name in NAMES for one in endings[name])
    lost = [request_id for request_id in history.accepted if ends[request_id] == 0]
    assert not lost, f"accepted and lost: {lost}"
    twice = [request_id for request_id, count in ends.items() if count > 1]
    assert not twice, f"ended twice: {twice}"


def nothing_is_invented(history: History, endings: dict[str, list[Ending]]) -> None:
    assert {one.request_id for name in NAMES for one in endings[name]} <= history.offered.keys()
    own = {one.request_id for one in endings[AFTERWARDS]}
    assert {run.request_id for run in history.functions.started} <= history.offered.keys() | own


def limits_are_kept(history: History) -> None:
    for name, most in history.most_running.items():
        assert most <= history.reserved.get(name, 8), f"{name} ran {most} at once"
    idle = {name for name, executions in history.reserved.items() if executions == 0}
    assert not idle & {run.name for run in history.functions.started}, "a function that reserves nothing has run"


def nothing_runs_in_another_functions_place(history: History) -> None:
    """A function that was made again under a name doesn't run what was sent to the one before."""
    for run in history.functions.started:
        meant = history.meant_for.get(run.request_id, run.creation_id)
        assert run.creation_id == meant, f"{run.name} ran what was sent before it was made"


def retries_are_as_configured(history: History, endings: dict[str, list[Ending]]) -> None:
    runs = Counter(run.request_id for run in history.functions.started)
    for name in NAMES:
        policy = policy_of(history.configs.get(name))
        most = 1 + policy.maximum_retry_attempts + history.deaths
        assert all(runs[one.request_id] <= most for one in endings[name]), f"{name} was tried too often"
        if not history.clock_jumped:
            starts_in_time(history, name, policy.maximum_event_age_seconds)


def ends_have_their_reasons(history: History, endings: dict[str, list[Ending]]) -> None:
    for name in NAMES:
        plan, own = history.functions.plans[name], [one for one in endings[name] if one.ending != PURGED]
        found = {one.ending for one in own if not was_for_another(history, one)}
        if plan.is_gone:
            assert found <= {Condition.FUNCTION_NOT_FOUND}
        elif history.reserved.get(name) == 0:
            assert found <= {Condition.ZERO_RESERVED_CONCURRENCY, Condition.EVENT_AGE_EXCEEDED}
            assert Condition.ZERO_RESERVED_CONCURRENCY in found or not found or history.clock_jumped
        elif plan.system_errors == 1.0:
            assert found <= {Condition.EVENT_AGE_EXCEEDED}
    refused = {one.request_id for one in history.targets.refused}
    given_up = {one.request_id for one in history.disk.endings.values() if one.ending == UNDELIVERED}
    assert given_up <= refused, "what can't be delivered for a while is delivered later"


def starts_in_time(history: History, name: str, age_seconds: int) -> None:
    for run in history.functions.started:
        accepted = history.accepted.get(run.request_id)
        if run.name == name and accepted is not None:
            assert run.epoch_ms < accepted + age_seconds * 1000, f"{name} ran an event that was too old"


def was_for_another(history: History, ending: Ending) -> bool:
    """Its function was deleted, and its configurations with it, whatever was made under its name."""
    name = ending.queue.name
    if ending.ending != Condition.FUNCTION_NOT_FOUND or history.functions.plans[name].is_gone:
        return False
    assert history.meant_for[ending.request_id] != str(history.functions.creations[name]), "its function is there"
    return True


def results_arrive(history: History, endings: dict[str, list[Ending]]) -> None:
    """Each end brings its deliveries: taken, or given up and kept; to a function as its event."""
    given_up = {one.request_id for one in history.disk.endings.values() if one.ending == UNDELIVERED}
    taken = {(one.destination_arn, one.request_id) for one in history.targets.taken}
    expected_events = 0
    for name in NAMES:
        config = history.configs.get(name)
        for one in endings[name]:
            if one.ending == PURGED or was_for_another(history, one):
                continue  # nobody is told
            succeeded = one.ending == Condition.SUCCESS
            destinations = Destinations() if config is None else config.destinations
            wanted = destinations.on_success if succeeded else destinations.on_failure
            expected_events += wanted is not None and wanted.endswith(AFTERWARDS)
            if wanted in (SUCCEEDED, FAILED):
                assert (wanted, one.request_id) in taken or one.request_id in given_up
            gone = history.functions.plans[name].is_gone
            if not succeeded and not gone and history.functions.plans[name].has_dead_letters:
                assert (DEAD_LETTERS, one.request_id) in taken or one.request_id in given_up
            assert succeeded == (one.payload is None), "what failed is kept, what succeeded isn't"
    assert len(endings[AFTERWARDS]) == expected_events, "a function gets the results it is a destination of, once"
    ids = {(one.purpose, one.request_id): one.id for one in history.targets.taken}
    assert all(ids[one.purpose, one.request_id] == one.id for one in history.targets.taken), "repeated under its own id"
    assert Purpose.ON_SUCCESS not in {one.purpose for one in history.targets.taken if one.destination_arn == FAILED}
