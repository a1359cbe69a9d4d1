"""No secret shows in what the server writes, answers or has others see, whatever it is asked."""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.secret_scenario import Scenario, is_in_sandbox, play, processes_of, server_with_secrets

_OF_FUNCTIONS = ("environment", "function's key", "function's token")
"""What a function's own processes have, and its owner is shown."""


@pytest.fixture(scope="module")
def scenario(marked_root: Path) -> Iterator[Scenario]:
    with server_with_secrets(marked_root / "secrets") as server:
        yield play(server)


def test_the_scenario_has_all_kinds_of_secrets_and_finds_them(scenario: Scenario) -> None:
    assert len(scenario.secrets) == len(set(scenario.secrets.values())) == 20
    assert all(len(secret) >= 16 for secret in scenario.secrets.values())
    for name, secret in scenario.secrets.items():
        assert scenario.found({"a text": f"...{secret}..."})[0].endswith("in a text"), name


def test_not_in_the_servers_output_at_its_most_talkative(scenario: Scenario) -> None:
    output = scenario.server.output
    assert "at its most talkative" in output
    assert "takes no results now" in output, "a delivery to a service failed"
    assert scenario.found({"the output": output}) == []


def test_not_in_answers_nor_in_what_commands_print(scenario: Scenario) -> None:
    assert len(scenario.texts) > 70
    assert scenario.found() == []


def test_not_in_command_lines(scenario: Scenario) -> None:
    lines = {place.name: read(place / "cmdline") for place in Path("/proc").glob("[0-9]*")}
    assert scenario.found(lines) == []


def test_not_in_environments_but_those_of_the_functions_themselves(scenario: Scenario) -> None:
    environs = {place: read(place / "environ") for place in processes_of(scenario.server)}
    assert len(environs) > 1, "the server and what it started"
    outside = {str(place): text for place, text in environs.items() if not is_in_sandbox(place)}
    assert scenario.found(outside) == []
    inside = {str(place): text for place, text in environs.items() if is_in_sandbox(place)}
    assert [one for one in scenario.found(inside) if not one.startswith(_OF_FUNCTIONS)] == []


def test_not_in_cores(scenario: Scenario) -> None:
    assert scenario.server.process is not None
    assert resource.prlimit(scenario.server.process.pid, resource.RLIMIT_CORE)[0] in (0, 1)
    assert not list(scenario.server.data.rglob("core*"))


def read(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:
        return ""
