"""A process that is killed while it writes: what it was told is stored, is stored."""

import random
import signal
import subprocess
import sys
from pathlib import Path

from lampion.store.sqlite.database import open_database
from lampion.store.sqlite.functions import SqliteFunctions
from tests.component.store.samples import ACCOUNT, REGION

_WRITER = """
import asyncio, sys
from pathlib import Path
from lampion.store.sqlite.database import open_database
from lampion.store.sqlite.functions import SqliteFunctions
from tests.component.store.samples import function

async def write(functions, name):
    await functions.insert(function(name))
    print(name, flush=True)

async def main():
    functions = SqliteFunctions(await open_database(Path(sys.argv[1])))
    for number in range(100_000):
        await asyncio.gather(*(write(functions, f"{sys.argv[2]}-{number}-{lane}") for lane in range(8)))

asyncio.run(main())
"""


def _acknowledged(path: Path, round_number: int, count: int) -> list[str]:
    """Names that the writer reported before it was killed, at least `count`."""
    names: list[str] = []
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path), str(round_number)], stdout=subprocess.PIPE, text=True
    )
    with writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if line.endswith("\n"):
                names.append(line.strip())
            if len(names) == count:
                writer.send_signal(signal.SIGKILL)
    return names


async def test_every_acknowledged_write_survives_kill_9(tmp_path: Path):
    path = tmp_path / "lampion.db"
    seed = random.Random(7)
    acknowledged: set[str] = set()
    for round_number in range(5):
        acknowledged.update(_acknowledged(path, round_number, seed.randint(1, 300)))
        database = await open_database(path)
        stored = await SqliteFunctions(database).page(ACCOUNT, REGION, after=None, limit=1_000_000)
        await database.close()
        assert acknowledged <= {found.key.name for found in stored}
    assert len(acknowledged) >= 5
