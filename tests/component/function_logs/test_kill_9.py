"""A killed server loses no log event that it had written, shows no half of one, and never repeats a cursor."""

import random
import subprocess
import sys
import time
from pathlib import Path

from tests.component.function_logs.places import everything, open_files

CHECKOUT = Path(__file__).parents[3]


def run_until_killed(directory: Path, run: str, seconds: float) -> int:
    """Returns the number of the last event that was reported as written."""
    command = [sys.executable, "-m", "tests.component.function_logs.crashing_writer", str(directory), run]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(seconds)
        process.kill()
        rest = process.stdout.read()
    return int((first + rest).rpartition("\n")[0].rpartition("\n")[2])


async def test_kill_9_at_random_moments(tmp_path: Path) -> None:
    moments = random.Random(1)
    cursors: list[int] = []
    for run in range(5):
        name = f"run{run}"
        reported = run_until_killed(tmp_path, name, moments.uniform(0, 0.3))
        async with open_files(tmp_path) as logs:
            events = await everything(logs, after=cursors[-1] if cursors else 0)
        numbers = [int(event.message.removeprefix(name)) for event in events]
        assert numbers[: reported + 1] == list(range(reported + 1))
        assert numbers == sorted(set(numbers))
        assert [event.timestamp_ms for event in events] == numbers
        cursors += [event.cursor for event in events]
    assert cursors == sorted(set(cursors))
