"""A process that is killed while it writes: what it was told is stored, is stored."""

import random
import signal
import subprocess
import sys
from collections import Counter
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

_PUBLISHER = """
import asyncio, sys
from pathlib import Path
from lampion.domain.version import counted, published
from lampion.store.sqlite.database import open_database
from lampion.store.sqlite.functions import SqliteFunctions
from tests.component.store.samples import function

async def publish(functions, name):
    latest = function(name, settled=True)
    await functions.insert(latest)
    while True:
        counting = counted(latest, revision_id=f"r{latest.last_version}")
        version = published(counting, description=None, revision_id="v")
        await functions.replace(counting, expected_revision_id=latest.revision_id, published=version)
        print(f"{name}:{version.version}", flush=True)
        latest = counting

async def main():
    functions = SqliteFunctions(await open_database(Path(sys.argv[1])))
    await asyncio.gather(*(publish(functions, f"{sys.argv[2]}-{lane}") for lane in range(4)))

asyncio.run(main())
"""


def _acknowledged(path: Path, round_number: int, count: int, program: str = _WRITER) -> list[str]:
    """Names that the writer reported before it was killed, at least `count`."""
    names: list[str] = []
    writer = subprocess.Popen(
        [sys.executable, "-c", program, str(path), str(round_number)], stdout=subprocess.PIPE, text=True
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


async def test_every_acknowledged_version_survives_kill_9_and_the_count_with_it(tmp_path: Path):
    path = tmp_path / "lampion.db"
    acknowledged: set[str] = set()
    for round_number, count in enumerate((5, 60, 150)):
        acknowledged.update(_acknowledged(path, round_number, count, _PUBLISHER))
        database = await open_database(path)
        stored = await SqliteFunctions(database).page_with_versions(ACCOUNT, REGION, after=None, limit=1_000_000)
        await database.close()
        assert acknowledged <= {f"{found.key.name}:{found.version}" for found in stored}
        versions = Counter(found.key.name for found in stored if found.version != "$LATEST")
        latest = {found.key.name: found.last_version for found in stored if found.version == "$LATEST"}
        assert versions == Counter(latest)  # a version and the count of it are there together, or neither
