"""A measured system really runs, answers, and leaves nothing: no process, no file."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from benchmarks.__main__ import main
from benchmarks.functions import EVENT, MEMORY_MIB
from benchmarks.measure.process_tree import ProcessTree, status
from benchmarks.results import BESIDE_PYTHON_BARE, BESIDE_PYTHON_PASS, BOTO3, NODEJS, RUBY, SNAP_START
from benchmarks.run import run as run_all
from benchmarks.systems.catalogue import CATALOGUE
from benchmarks.systems.child import DidNotStart, child, free_port, plain_environ, wait_until_listening
from benchmarks.systems.endpoint import Endpoint, WrongAnswer, invoke
from benchmarks.systems.system import Scratch, System
from benchmarks.workloads.cold_burst import COLD_BURST
from benchmarks.workloads.cold_first import COLD_FIRST
from benchmarks.workloads.warm import under_load
from benchmarks.workloads.workload import SMOKE

STUBBORN_FAMILY = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
    time.sleep(600)
print("ready", file=open(sys.argv[1], "w"), flush=True)
time.sleep(600)
"""


@pytest.fixture
def scratch(tmp_path):
    output = os.open(os.devnull, os.O_WRONLY)
    yield Scratch(tmp_path, output)
    os.close(output)


def is_running(pid: int) -> bool:
    now = status(pid)
    return now is not None and now.state != "Z"


def wait_until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("name", ["two_hop", "raw_echo"])
def test_a_reference_echoes_and_is_gone_afterwards(name, scratch):
    with CATALOGUE[name].running(scratch) as running:
        function = running.warm
        assert function is not None
        request = function.endpoint.invoke_request(function.function_name, EVENT)
        assert [invoke(request) for _ in range(3)] == [EVENT] * 3
        family = [member.pid for member in function.processes.members()]
        assert function.processes.pss_mib() > 1
    assert len(family) == {"two_hop": 17, "raw_echo": 1}[name]
    wait_until(lambda: not any(map(is_running, family)))


def test_a_signed_request_carries_a_signature_and_hides_it_from_the_repr():
    endpoint = Endpoint("http://127.0.0.1:1", access_key_id="AKIDEXAMPLE", secret_access_key="hidden", signed=True)

    request = endpoint.invoke_request("echo", EVENT)

    assert request.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "AWS4" not in repr(request)
    assert "hidden" not in repr(endpoint)


def test_a_family_that_ignores_sigterm_and_leaves_its_session_is_ended_whole(scratch):
    ready = scratch.directory / "ready"
    argv = [sys.executable, "-c", STUBBORN_FAMILY, ready]
    with child(argv, plain_environ(scratch.directory), scratch.directory, scratch.output, grace_seconds=0.2) as family:
        wait_until(lambda: ready.exists() and len(family.tree.members()) == 3)
        pids = [member.pid for member in family.tree.members()]
    wait_until(lambda: not any(map(is_running, pids)))


def test_a_system_that_ends_at_once_is_told_as_such(scratch):
    argv = [sys.executable, "-c", "raise SystemExit(3)"]
    with (
        child(argv, plain_environ(scratch.directory), scratch.directory, scratch.output) as one,
        pytest.raises(DidNotStart, match="ended with status 3"),
    ):
        wait_until_listening(one, free_port(), 10)


def test_a_run_whose_interruption_was_dropped_ends_before_its_next_system():
    started = []

    @contextmanager
    def running(scratch):
        started.append(scratch)
        yield None

    system = SimpleNamespace(name="fake", workloads=(), missing=lambda: "", running=running)
    with pytest.raises(KeyboardInterrupt):
        run_all(
            [cast("System", system)], [], replace(SMOKE, repeats=1000), verbose=False, is_over=lambda: len(started) == 2
        )
    assert len(started) == 2


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_what_it_has_started(ending, tmp_path):
    argv = [sys.executable, "-m", "benchmarks", "--only", "boto3_felt", "--systems", "two_hop", "--repeats", "1000"]
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(argv, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        tree = ProcessTree(run.pid)
        wait_until(lambda: len(tree.members()) == 1 + 17)
        family = [member.pid for member in tree.members()]
        run.send_signal(ending)
        assert run.wait(20) == 130
    wait_until(lambda: not any(map(is_running, family)))
    assert list(tmp_path.iterdir()) == []


def test_a_smoke_run_measures_prints_and_leaves_nothing(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ours = {member.pid for member in ProcessTree(os.getpid()).members()}

    status_code = main(["--smoke", "--only", "boto3_felt,cold_first", "--systems", "two_hop"])

    page = capsys.readouterr().out
    assert status_code == 0
    for row in ("## A/A control", "| two_hop |", "| raw_echo |", "| python_pass |", "## cold_first"):
        assert row in page
    assert str(Path.cwd()) not in page
    assert {member.pid for member in ProcessTree(os.getpid()).members() if member.state != "Z"} <= ours
    assert list(tmp_path.iterdir()) == []


def test_new_functions_of_lampion_answer_all_at_once(scratch):
    with CATALOGUE["lampion"].running(scratch) as running:
        [sample] = COLD_BURST.measure(running, 1, replace(SMOKE, burst_functions=5))

    assert (sample.requests, sample.wrong_answers) == (5, 0)
    assert sample.value > 0
    assert sample.more["first answer p99 ms"] >= sample.more["first answer p50 ms"] > 0


def test_what_is_measured_of_lampion_has_signatures_logs_and_limits(scratch):
    with CATALOGUE["lampion"].running(scratch) as running:
        function = running.warm
        assert function is not None
        request = function.endpoint.invoke_request(function.function_name, EVENT)
        unsigned = {name: value for name, value in request.headers.items() if name != "Authorization"}
        with pytest.raises(WrongAnswer, match="HTTP 403"):
            invoke(replace(request, headers=unsigned))
        under_load(function, 1, 1)
        argv = [sys.executable, "-m", "lampion", "logs", "echo", "--data", str(scratch.directory / "data")]
        log = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout
        limits = {file.read_text().strip() for file in limit_files(f"lampion-test-bench-{os.getpid()}")}

    assert log.count("REPORT RequestId: ") > 10
    assert limits & {str(MEMORY_MIB << 20)}


def limit_files(cgroup: str) -> list[Path]:
    """Of memory, of all below the cgroups of that name."""
    names = ("memory.limit_in_bytes", "memory.max")
    parents = [*Path("/sys/fs/cgroup").glob(f"**/{cgroup}")]
    return [file for parent in parents for name in names for file in parent.glob(f"**/{name}")]


@pytest.mark.long
def test_first_answers_of_lampion_come_with_the_starts_of_their_interpreters(scratch):
    with CATALOGUE["lampion"].running(scratch) as running:
        samples = COLD_FIRST.measure(running, 1, SMOKE)

    kinds = [sample.kind for sample in samples]
    assert {"", BOTO3, BESIDE_PYTHON_PASS, BESIDE_PYTHON_BARE} <= set(kinds)
    for kind in (NODEJS, RUBY, SNAP_START):
        assert (kind in kinds) != (kind in running.absent)
    assert all(sample.value > 0 for sample in samples)
