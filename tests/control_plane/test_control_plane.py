"""The control plane against a model in plain Python: in this process, and over boto3."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.control_plane.attachments import Attachments
from tests.control_plane.machine import ControlPlane
from tests.control_plane.planes import InProcess, Live, Plane
from tests.live_server import LiveServer

_CHECKS = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)


def run(machine: type[ControlPlane], begin: Any, *, examples: int, steps: int) -> None:
    class Machine(machine):  # type: ignore[valid-type,misc]
        def begin(self) -> Plane:
            plane: Plane = begin()
            return plane

    chosen = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=_CHECKS, derandomize=True
    )
    run_state_machine_as_test(Machine, settings=chosen)


MACHINES = pytest.mark.parametrize("machine", [ControlPlane, Attachments])


@MACHINES
@pytest.mark.timeout(300)
def test_in_this_process(tmp_path: Path, machine: type[ControlPlane]) -> None:
    numbers = itertools.count()
    run(machine, lambda: InProcess(tmp_path / str(next(numbers))), examples=60, steps=40)


@MACHINES
@pytest.mark.timeout(300)
def test_over_boto3(private_server: LiveServer, machine: type[ControlPlane]) -> None:
    client = private_server.client()
    run(machine, lambda: Live(client), examples=6, steps=25)
