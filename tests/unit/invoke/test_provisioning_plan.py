"""What is to be there ahead of invocations, and what is given up and when."""

from collections.abc import Mapping

import pytest

from lampion.domain.arn import FunctionKey
from lampion.environments.provisioned import NONE, Provisioned
from lampion.invoke.provisioning_plan import Config, Plan, Served, plan

KEY = FunctionKey("123456789012", "us-east-1", "f")
LIVE = (KEY, "live")
ONE, TWO, THREE = (KEY, "1"), (KEY, "2"), (KEY, "3")


def live(version: str, executions: int = 2, since: int = 0) -> Config:
    return Config(LIVE, version, executions, since)


def planned(
    *configs: Config,
    served: Served | None = None,
    before: Mapping[tuple[FunctionKey, str], int] | None = None,
    **ready: Provisioned,
) -> Plan:
    """`ready` says how far each version's environments have got: v1, v2."""
    return plan(
        configs,
        {} if served is None else {LIVE: served},
        before or {},
        lambda _, version: ready.get(f"v{version}", NONE),
    )


def test_what_is_new_is_wanted_anew() -> None:
    assert planned(live("1")) == Plan({ONE: 2}, frozenset([ONE]), [], {LIVE: Served("1", 0)})


def test_what_was_looked_at_before_goes_on() -> None:
    found = planned(live("1"), served=Served("1", 0), before={ONE: 2})
    assert found == Plan({ONE: 2}, frozenset(), [], {LIVE: Served("1", 0)})


def test_what_is_put_again_is_wanted_anew_and_another_number_replaces_the_first() -> None:
    found = planned(live("1", 5, since=7), served=Served("1", 0), before={ONE: 2})
    assert found == Plan({ONE: 5}, frozenset([ONE]), [], {LIVE: Served("1", 7)})


def test_what_is_not_wanted_any_more_is_given_up() -> None:
    assert planned(served=Served("1", 0), before={ONE: 2}) == Plan({}, frozenset(), [ONE], {})


def test_a_former_version_is_kept_until_there_are_as_many_of_the_new_one() -> None:
    moved = planned(live("2"), served=Served("1", 0), before={ONE: 2}, v1=Provisioned(2, 2))
    assert moved == Plan({ONE: 2, TWO: 2}, frozenset([TWO]), [], {LIVE: Served("2", 0, frozenset("1"))})
    under_way = planned(live("2"), served=moved.served[LIVE], before=moved.targets, v2=Provisioned(1, 1))
    assert (under_way.targets, under_way.given_up) == ({ONE: 2, TWO: 2}, [])
    there = planned(live("2"), served=under_way.served[LIVE], before=under_way.targets, v2=Provisioned(2, 0))
    assert there == Plan({TWO: 2}, frozenset(), [ONE], {LIVE: Served("2", 0)})


@pytest.mark.parametrize("hopeless", [Provisioned(failure="no"), Provisioned(lacks_room=True)])
def test_or_until_the_new_one_fails_or_needs_the_room(hopeless: Provisioned) -> None:
    served = Served("2", 0, frozenset("1"))
    found = planned(live("2"), served=served, before={ONE: 2, TWO: 2}, v2=hopeless)
    assert (found.targets, found.given_up) == ({TWO: 2}, [ONE])


def test_a_failure_of_before_is_none_of_what_is_wanted_anew() -> None:
    found = planned(live("2"), served=Served("1", 0), before={ONE: 2}, v2=Provisioned(failure="long ago"))
    assert found.given_up == []


def test_an_alias_that_moves_on_keeps_what_still_serves() -> None:
    found = planned(live("3"), served=Served("2", 0, frozenset("1")), before={ONE: 2, TWO: 2})
    assert (found.targets, found.served[LIVE]) == (
        {ONE: 2, TWO: 2, THREE: 2},
        Served("3", 0, frozenset("12")),
    )
    back = planned(live("1"), served=Served("2", 0, frozenset("1")), before={ONE: 2, TWO: 2}, v1=Provisioned(2, 2))
    assert (back.targets, back.given_up) == ({ONE: 2}, [TWO])


def test_a_former_version_that_is_wanted_for_itself_has_what_that_says() -> None:
    own = Config(ONE, "1", 5, 0)
    found = planned(live("2"), own, served=Served("1", 0), before={ONE: 2})
    assert found.targets == {ONE: 5, TWO: 2}
