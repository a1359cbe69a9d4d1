"""Running a tool: its result, its limits, and nothing of it afterwards."""

import asyncio
import os

import pytest

from lampion.sandbox.tool_runner import SubprocessToolRunner, ToolError, ToolResult
from tests.sandbox.boxes import CLOCK, eventually, processes_with

RUNNER = SubprocessToolRunner(CLOCK)


async def test_both_streams_and_the_code_are_told():
    assert await RUNNER.run(["/bin/sh", "-c", "echo out; echo err >&2; exit 3"], 20) == ToolResult(
        b"out\n", b"err\n", 3
    )


async def test_death_by_a_signal_is_a_negative_code():
    assert (await RUNNER.run(["/bin/sh", "-c", "kill -9 $$"], 20)).code == -9


async def test_it_sees_nothing_of_the_servers_environment(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    assert b"hidden" not in (await RUNNER.run(["/usr/bin/env"], 20)).stdout
    told = await SubprocessToolRunner(CLOCK, {"A": "b"}).run(["/usr/bin/env"], 20)
    assert told.stdout == b"A=b\n"


async def test_standard_input_is_empty():
    assert (await RUNNER.run(["/bin/cat"], 20)).stdout == b""


async def test_output_beyond_the_limit_is_cut_and_does_not_block_the_tool():
    runner = SubprocessToolRunner(CLOCK, most_output_bytes=1000)
    result = await runner.run(["/bin/sh", "-c", "head -c 3000000 /dev/zero; echo end >&2"], 20)
    assert result == ToolResult(bytes(1000), b"end\n", 0)


async def test_a_tool_that_takes_too_long_is_killed_with_its_children():
    mark = f"lampion-test-tool-{os.getpid()}"
    with pytest.raises(ToolError, match=r"took longer than 0\.2 s"):
        await RUNNER.run(["/bin/sh", "-c", f"sleep 60 & : {mark}; trap '' TERM; sleep 60; : {mark}"], 0.2)
    assert await eventually(lambda: processes_with(mark) == [])


async def test_a_cancelled_caller_ends_the_tool():
    mark = f"lampion-test-cancel-{os.getpid()}"
    running = asyncio.create_task(RUNNER.run(["/bin/sh", "-c", f"sleep 60; : {mark}"], 60))
    assert await eventually(lambda: processes_with(mark) != [])
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await eventually(lambda: processes_with(mark) == [])


@pytest.mark.parametrize("argv", [["/no/such/tool"], ["/etc"], ["/bin/true", "a\0b"]])
async def test_a_tool_that_cannot_start_is_an_error_that_names_it(argv):
    with pytest.raises(ToolError, match=argv[0]):
        await RUNNER.run(argv, 5)


async def test_files_beyond_the_limit_are_not_written(tmp_path):
    runner = SubprocessToolRunner(CLOCK, most_file_bytes=100_000)
    file = tmp_path / "file"
    command = f"for i in 1 2 3 4 5 6 7 8 9; do sleep 0.1; head -c 50000 /dev/zero >> {file} || exit 7; done"
    assert (await runner.run(["/bin/sh", "-c", command], 20)).code == 7
    assert file.stat().st_size == 100_000
