"""kill -9 of `lampion master-key move`, at lines of its code spread over the whole of it and at random moments.

After each the data directory must open with the old key or with the new one, whole; and the same move must end well.
`python -m tests.chaos.master_key_move --rounds 150 --result FILE` runs it at length and writes down what came of it.
"""

import argparse
import asyncio
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from lampion.clock.clock import SystemClock
from lampion.clock.rng import SystemRng
from lampion.domain.kms.key import Key
from lampion.identity.encryption_keys import EncryptionKeys
from lampion.identity.key_places import FilePlace
from lampion.identity.master_key import MasterKeys
from lampion.store.cached_functions import CachedFunctions
from lampion.store.cached_resources import CachedResources
from lampion.store.data_directory import open_data_directory
from lampion.store.errors import MasterKeyUnusable
from lampion.store.kms import KEYS
from lampion.store.resources import Stored, every
from lampion.store.sqlite.database import open_database
from lampion.store.sqlite.functions import SqliteFunctions
from lampion.store.sqlite.resources import SqliteResources
from tests.chaos.result_page import page
from tests.live_server import clean_environ, marked_directory

SEED: Final = 7
_KEYS: Final = 12
_WHERE: Final = ("123456789012", "us-east-1")
_SECRET: Final = b"what must not be lost"
_RANDOM_EVERY: Final = 3
_SECONDS_MAX: Final = 120
_BEFORE_COMMIT: Final = 0.85
"""What is shortly before the commit and after it, in a move's lines, gets half of the rounds."""


@dataclass
class Outcome:
    """What came of some rounds."""

    lines: int = 0
    rounds: int = 0
    ended_before: int = 0
    by_old: int = 0
    by_new: int = 0
    with_new_file: int = 0
    findings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join(
            (
                f"rounds: {self.rounds}, at lines spread over the {self.lines} of a move, a third at random moments",
                f"moves that had ended before they were to be killed: {self.ended_before}",
                f"the old key opened everything: {self.by_old}, {self.with_new_file} of them with the new one there",
                f"the new key opened everything: {self.by_new}",
                f"broken promises: {len(self.findings) or 'none'}",
            )
        )


class Chaos:
    """One data directory, whose master key goes from file to file."""

    def __init__(self, root: Path, seed: int) -> None:
        self._root = root
        self._data = root / "data"
        self._rng = Random(seed)
        self._blobs = asyncio.run(_prepared(self._data, root / "key-0"))
        self._number = 0
        self.outcome = Outcome()
        self._seconds = self._measured()

    def round(self, share: float) -> None:
        """A move, killed when it has done `share` of its lines, or at random; a look; and the same move to its end."""
        outcome = self.outcome
        old, new = self._root / f"key-{self._number}", self._root / f"key-{self._number + 1}"
        outcome.rounds += 1
        if outcome.rounds % _RANDOM_EVERY == 0:
            self._killed_at_random(old, new)
        elif self._run(old, new, at=1 + int(share * outcome.lines)).returncode == 0:
            outcome.ended_before += 1
        self._look(old, new)
        again = self._run(old, new)
        if again.returncode != 0:
            outcome.findings.append(f"the move didn't end well afterwards: {again.stderr}")
        if self._opens(new) is not True or self._opens(old) is not False:
            outcome.findings.append("after the whole move the keys open something else than they should")
        self._number += 1

    def _look(self, old: Path, new: Path) -> None:
        by_old, by_new = self._opens(old), self._opens(new)
        self.outcome.by_old += by_old is True
        self.outcome.by_new += by_new is True
        self.outcome.with_new_file += by_old is True and new.exists()
        if {by_old, by_new} != {True, False}:
            self.outcome.findings.append(f"the old key opens {by_old}, the new one {by_new} (None: a part)")

    def _opens(self, key: Path) -> bool | None:
        return asyncio.run(_opens(self._data, key, self._blobs))

    def _killed_at_random(self, old: Path, new: Path) -> None:
        process = subprocess.Popen(
            self._command(old, new), env=clean_environ(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(self._rng.uniform(self._seconds * 0.3, self._seconds * 1.1))
            self.outcome.ended_before += 1
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _measured(self) -> float:
        """Counts the lines of a move, and returns how long one takes that isn't counted."""
        counted = self._run(self._root / "key-0", self._root / "key-1", at=0)
        found = re.search(r"lines (\d+)", counted.stderr)
        assert found is not None, counted.stderr
        self.outcome.lines = int(found[1])
        begun = time.monotonic()
        assert self._run(self._root / "key-1", self._root / "key-2").returncode == 0
        self._number = 2
        return time.monotonic() - begun

    def _run(self, old: Path, new: Path, *, at: int | None = None) -> subprocess.CompletedProcess[str]:
        command = self._command(old, new, at)
        return subprocess.run(
            command, env=clean_environ(), capture_output=True, text=True, timeout=_SECONDS_MAX, check=False
        )

    def _command(self, old: Path, new: Path, at: int | None = None) -> list[str]:
        program = ["lampion"] if at is None else ["tests.chaos.killed_move", str(at), "--"]
        places = ["--data", str(self._data), "--master-key", str(old), "--to", str(new)]
        return [sys.executable, "-m", *program, "master-key", "move", *places]


async def _prepared(data: Path, key_file: Path) -> dict[str, bytes]:
    """A data directory with keys; what each encrypted."""
    directory = open_data_directory(data)
    database = await open_database(directory.database)
    try:
        resources = CachedResources(SqliteResources(database), CachedFunctions(SqliteFunctions(database)))
        keys = _keys(resources, key_file)
        await keys.open()
        blobs = {}
        for _ in range(_KEYS):
            draft = Key(
                account_id=_WHERE[0],
                region=_WHERE[1],
                key_id=SystemRng().uuid4(),
                created_epoch_seconds=0,
                policy="{}",
                materials=(),
            )
            key = await keys.with_material(draft)
            await resources.change(lambda stored, key=key: stored.put(KEYS, key))  # type: ignore[misc]
            blobs[key.key_id] = (await keys.encrypt(key, _SECRET, {})).blob
        return blobs
    finally:
        await database.close()
        directory.close()


async def _opens(data: Path, key_file: Path, blobs: dict[str, bytes]) -> bool | None:
    """Whether what is in `key_file` opens everything or nothing; None for a part."""
    directory = open_data_directory(data)
    database = await open_database(directory.database)
    try:
        resources = CachedResources(SqliteResources(database), CachedFunctions(SqliteFunctions(database)))
        keys = _keys(resources, key_file)
        try:
            await keys.open()
        except MasterKeyUnusable:
            return False

        def find(stored: Stored) -> dict[str, Key]:
            return {key.key_id: key for key in every(stored, KEYS, *_WHERE)}

        found = await resources.read(find)
        try:
            opened = [keys.decrypt(found[key_id], keys.read(blob), {}) == _SECRET for key_id, blob in blobs.items()]
        except Exception:  # whatever it is: not everything opens
            return None
        return True if all(opened) else None
    finally:
        await database.close()
        directory.close()


def _keys(resources: CachedResources, key_file: Path) -> EncryptionKeys:
    masters = MasterKeys(place=FilePlace(key_file), resources=resources, rng=SystemRng())
    return EncryptionKeys(resources=resources, masters=masters, clock=SystemClock(), rng=SystemRng())


def run(root: Path, *, rounds: int, seed: int) -> Outcome:
    """Stops at the first round with a finding."""
    chaos = Chaos(root, seed)
    for number in range(rounds):
        share = (number + 0.5) / rounds
        chaos.round(share if number % 2 else _BEFORE_COMMIT + (1 - _BEFORE_COMMIT) * share)
        if chaos.outcome.findings:
            break
    return chaos.outcome


def main(arguments: list[str]) -> int:
    """The exit code is 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description="kill -9 of moves of the master key, and a look at what is left.")
    parser.add_argument("--rounds", type=int, default=150)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--result", type=Path, help="file to write the outcome to")
    options = parser.parse_args(arguments)
    with marked_directory() as root:
        outcome = run(root, rounds=options.rounds, seed=options.seed)
    for finding in outcome.findings:
        print(finding)
    print(outcome)
    if options.result is not None:
        command = f"python -m tests.chaos.master_key_move --rounds {options.rounds} --seed {options.seed}"
        page(options.result, "kill -9 while the master key moves", command, [str(outcome)])
    return 1 if outcome.findings or outcome.rounds < options.rounds else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
