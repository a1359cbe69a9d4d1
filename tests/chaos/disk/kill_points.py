"""A server's event side that dies at every step on its disk, one by one: `python -m tests.chaos.disk.kill_points`.

And a machine whose power is cut at many of them: `--power-cuts N`. It starts itself again under the shim, and forks
for each life, so that a crash costs no start of an interpreter.
"""

import argparse
import asyncio
import faulthandler
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.chaos.disk.judgement import judge, look
from tests.chaos.disk.power_cut import cut_power, read_record
from tests.chaos.disk.scenario import Diary, open_for_the_first_time, play, read_diary, recover
from tests.chaos.disk.shim import Disk, build_shim, under_shim
from tests.chaos.result_page import page

_LIFE_SECONDS: Final = 60
_MEMORY = Path("/dev/shm")


@dataclass
class Outcome:
    """What came of many crashes."""

    steps: int = 0
    crashes: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    findings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.crashes.items()))
        lines = [
            f"steps on the disk in the scenario: {self.steps}",
            f"crashes: {kinds}",
            f"events accepted before a crash: {self.accepted}",
            f"broken promises: {len(self.findings) or 'none'}",
        ]
        return "\n".join([*lines, *self.findings[:20]])


class Crashes:
    """Lives on one directory, which is made anew for each crash."""

    def __init__(self, root: Path, disk: Disk, rounds: int, seed: int) -> None:
        self._root = root
        self._disk = disk
        self._rounds = rounds
        self._chance = Random(seed)
        self._begun: Path | None = None
        self.outcome = Outcome()

    def begin_with_databases(self) -> None:
        """Every history goes on from databases that are there: what happens while they are made is left out."""
        begun = Path(tempfile.mkdtemp(dir=self._root))
        assert not self._live(lambda: open_for_the_first_time(begun))
        self._begun = begun

    def at_every_step(self, *, share: tuple[int, int], torn: bool, again: bool) -> None:
        """Until the scenario ends before the step comes. `share` (i, n): each n-th of them, from the i-th on.

        `torn`: die in the middle of each as well; `again`: die once more during the recovery.
        """
        for at in range(1 + share[0], sys.maxsize, share[1]):
            for is_torn in (False, True) if torn else (False,):
                with self._directory() as directory:
                    before = directory / "before"
                    if not self._live(partial(self._play, directory, before), kill_at=at, torn=is_torn):
                        self.outcome.steps = at
                        return
                    self.outcome.crashes["torn writes" if is_torn else "kills"] += 1
                    if again:
                        self._kill_while_it_recovers(directory)
                    self._recover_and_judge(directory, f"step {at}{' torn' if is_torn else ''}", read_diary(before))

    def _play(self, directory: Path, diary: Path) -> Coroutine[Any, Any, None]:
        return play(directory, Diary(diary).tell, rounds=self._rounds)

    def at_power_cuts(self, count: int, seed: int) -> None:
        """One life is recorded, and the power is cut at random steps of it."""
        with self._directory() as directory:
            record = directory / "record"

            def recorded() -> Coroutine[Any, Any, None]:
                self._disk.record(record)
                return play(directory, self._disk.mark, rounds=self._rounds)

            assert not self._live(recorded)
            steps, home = read_record(record), str(directory)
            self.outcome.steps = len(steps)
        for number in range(count):
            at = self._chance.randrange(1, len(steps) + 1)
            found = cut_power(steps, at, seed + number)
            with self._directory() as directory:
                for path, content in found.files.items():
                    (directory / Path(path).relative_to(home)).write_bytes(content)
                self.outcome.crashes["power cuts"] += 1
                self._recover_and_judge(directory, f"power cut at {at} with seed {seed + number}", found.marks)

    def _kill_while_it_recovers(self, directory: Path) -> None:
        at = self._chance.randrange(1, 60)
        if self._live(lambda: recover(directory, Diary(directory / "after").tell), kill_at=at):
            self.outcome.crashes["kills while it recovered"] += 1

    def _recover_and_judge(self, directory: Path, what: str, before: Sequence[Sequence[Any]]) -> None:
        after = directory / "after"
        try:
            assert not self._live(lambda: recover(directory, Diary(after).tell, hours=2))
        except LifeFailed as error:
            self.outcome.findings.append(f"{what}: {error}")
            return
        self.outcome.accepted += sum(line[0] == "accepted" for line in before)
        found = judge(before, read_diary(after), look(directory))
        self.outcome.findings += [f"{what}: {text}" for text in found]

    def _live(self, life: Callable[[], Coroutine[Any, Any, None]], *, kill_at: int = 0, torn: bool = False) -> bool:
        """In a process of its own. Whether it was killed, and didn't get to its end."""
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                signal.alarm(_LIFE_SECONDS)
                self._disk.kill_at(kill_at, torn=torn)
                asyncio.run(life())
                code = 0
            except Exception:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL and kill_at:
            return True
        if status != 0:
            raise LifeFailed(f"it didn't come to its end: status {status}")
        return False

    @contextmanager
    def _directory(self) -> Iterator[Path]:
        path = Path(tempfile.mkdtemp(dir=self._root))
        if self._begun is not None:
            shutil.copytree(self._begun, path, dirs_exist_ok=True)
        try:
            yield path
        finally:
            shutil.rmtree(path)


class LifeFailed(Exception):
    """A life ended otherwise than by being killed or by its end."""


def main(arguments: list[str]) -> int:
    """The exit code is 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description="Crashes at every step on the disk.")
    parser.add_argument("--rounds", type=int, default=1, help="how long the scenario is")
    parser.add_argument("--share", default="0/1", help="i/n: each n-th step only, from the i-th on")
    parser.add_argument("--untorn", action="store_true", help="die before steps only, not in the middle of writes")
    parser.add_argument("--begun", action="store_true", help="begin with databases that are there")
    parser.add_argument("--again", action="store_true", help="kill it again while it recovers")
    parser.add_argument("--power-cuts", type=int, help="cut the power at so many steps instead")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--result", type=Path, help="file to write the outcome to")
    options = parser.parse_args(arguments)
    if "LAMPION_TEST_DISK" not in os.environ:
        return _under_the_shim(arguments)
    faulthandler.enable()
    first, every = map(int, options.share.split("/"))
    crashes = Crashes(Path(os.environ["LAMPION_TEST_DISK"]), Disk(), options.rounds, options.seed)
    if options.begun:
        crashes.begin_with_databases()
    if options.power_cuts is None:
        crashes.at_every_step(share=(first, every), torn=not options.untorn, again=options.again)
    else:
        crashes.at_power_cuts(options.power_cuts, options.seed)
    print(crashes.outcome)
    if options.result is not None:
        title = "A kill at every step on the disk" if options.power_cuts is None else "Power cuts"
        command = " ".join(("python -m tests.chaos.disk.kill_points", *arguments))
        page(options.result, title, command, [str(crashes.outcome)])
    return 1 if crashes.outcome.findings else 0


def _under_the_shim(arguments: list[str]) -> int:
    """This programme again, on a disk in memory where there is one: it counts steps, not time."""
    with tempfile.TemporaryDirectory(prefix="lampion-test-", dir=_MEMORY if _MEMORY.is_dir() else None) as made:
        disk = Path(made) / "disk"
        disk.mkdir()
        environ = {**os.environ, **under_shim(build_shim(Path(made)), disk)}
        command = [sys.executable, "-m", "tests.chaos.disk.kill_points", *arguments]
        return subprocess.run(command, env=environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
