"""The event side killed at every step on its disk, and the power cut at many: what was told is there, and ends once."""

import asyncio
import sys

_SHARES = 2
_POWER_CUTS = 100
_SECONDS = 110


async def run(*arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos.disk.kill_points", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), _SECONDS)
    return process.returncode, output.decode()


async def test_nothing_accepted_is_lost_whatever_step_on_the_disk_is_the_last() -> None:
    shares = [run("--begun", "--untorn", "--share", f"{first}/{_SHARES}") for first in range(_SHARES)]
    for code, output in await asyncio.gather(*shares):
        assert code == 0, output
        assert "broken promises: none" in output
        assert int(output.partition("scenario: ")[2].split()[0]) > 200, output


async def test_nor_by_a_write_that_is_half_done_or_a_recovery_that_is_killed_too() -> None:
    code, output = await run("--again", "--share", "3/16")
    assert code == 0, output
    assert "torn writes" in output
    assert "kills while it recovered" in output


async def test_nor_by_a_power_cut() -> None:
    code, output = await run("--power-cuts", str(_POWER_CUTS))
    assert code == 0, output
    assert f"{_POWER_CUTS} power cuts" in output
    assert int(output.partition("before a crash: ")[2].split()[0]) > _POWER_CUTS / 2, output
