"""`python -m tests.escape.run --ground namespace --language python`: runs probes as this user, prints JSON.

A process of its own, so that the same run can be made as another user, or in private namespaces.
"""

import argparse
import asyncio
import contextlib
import json
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lampion.sandbox.drivers.namespace import NamespaceDriver
from lampion.sandbox.spec import Limits
from tests.escape.catalogue import ALL, Probe, named
from tests.escape.catalogue import Path as Way
from tests.escape.control import private_machine
from tests.escape.documented import allowed_system_calls
from tests.escape.grounds import LANGUAGES, BareGround, Ground, SandboxGround, answer_of
from tests.escape.native import compile_native
from tests.escape.outside import OBSERVERS, After, processes_of
from tests.escape.targets import Stage, new_secret, stage
from tests.escape.verdicts import Verdict, judge, merge
from tests.live_server import MARK, marked_directory
from tests.sandbox.boxes import CLOCK

PROBES = Path(__file__).parent / "probes"
NATIVE_PROBES = ("P02", "P03", "P15", "P16", "P18", "P20", "P23", "P24", "P34:processes")
"""Where a program without an interpreter differs: what it is itself, and how it speaks to the kernel."""
_SIBLING_PORT = 9555
_READY = re.compile(rb"(?:^|\n)ready")
_DOORS = (9001, 9002)
"""What listens in a sandbox: the Runtime API, and the AWS API for who signs with the function's own key."""
_USUAL = Limits(memory_mib=256, cpu_cores=1.0)


def runs_of(probes: Sequence[Probe], language: str, *, quick: bool) -> list[str]:
    """What a program of this language is asked for, in the catalogue's order."""
    wanted = [each for each in probes if each.path is Way.SANDBOX and not (quick and each.is_slow)]
    runs = [run for each in wanted for run in each.runs]
    return [run for run in runs if run in NATIVE_PROBES] if language == "native" else runs


class Suite:
    """The probes of one language on one ground."""

    def __init__(self, ground: Ground, staged: Stage, language: str) -> None:
        self._ground = ground
        self._stage = staged
        self._language = language
        self._targets = staged.told | _targets_of(ground, staged)

    @asynccontextmanager
    async def beside(self) -> AsyncIterator[None]:
        """A predecessor that has ended and a sibling that runs on, each with a secret."""
        await self._run("previous", "python", _USUAL, {"SECRET": new_secret("previous")})
        argv = self._ground.places.argv("python", "sibling", self._targets)
        environ = {"SECRET": new_secret("sibling")}
        async with self._ground.start(argv, environ, _USUAL) as sibling:
            output = b""
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(20):
                    output = await sibling.output(_READY)
            assert _READY.search(output), f"the sibling doesn't start: {output.decode(errors='replace')}"
            self._targets["sibling_pid"] = min(processes_of(self._stage.mark))
            yield

    async def verdicts(self, runs: Sequence[str]) -> list[Verdict]:
        found = []
        for run in runs:
            found.append(await self._probe(run))
            if run == "P45":
                found.append(_compared(found[-1], await self._probe(run)))
        return merge(found)

    async def _probe(self, run: str) -> Verdict:
        probe = named(run)
        limits = Limits(memory_mib=probe.memory_mib, cpu_cores=probe.cpu_cores, tmp_mib=probe.tmp_mib)
        self._targets |= {key: getattr(probe, key) for key in ("memory_mib", "cpu_cores", "tmp_mib")}
        after = After(self._stage)
        observer = OBSERVERS.get(probe.name)
        ended = asyncio.Event()
        watching = asyncio.ensure_future(observer(self._stage, self._targets, ended)) if observer else None
        ending, output = await self._run(run, self._language, limits, {})
        ended.set()
        seen = await watching if watching else []
        return judge(run, self._language, ending, output, seen + await after.findings())

    async def _run(self, run: str, language: str, limits: Limits, environ: dict[str, str]) -> tuple[Any, str]:
        argv = self._ground.places.argv(language, run, self._targets)
        async with self._ground.start(argv, environ, limits) as running:
            return await answer_of(running)


def _compared(one: Verdict, other: Verdict) -> Verdict:
    """P45: what two sandboxes call random must differ."""
    key = "randomness"
    same = key in one.notes and one.notes[key] == other.notes.get(key)
    return Verdict(one.name, one.language, (f"two sandboxes share randomness: {one.notes[key]}",) if same else ())


def _targets_of(ground: Ground, staged: Stage) -> dict[str, Any]:
    places, is_bare = ground.places, ground.is_bare
    doors = [staged.told["listener_port"]] if is_bare else _DOORS
    library = f"{places.interpreter_root}/lib/python{sys.version_info.major}.{sys.version_info.minor}"
    views = [places.task, places.layer]
    return {
        "is_bare": is_bare,
        "task": places.task,
        "layer": places.layer,
        "views": views if is_bare else [*views, "/usr/bin", "/usr/lib", "/etc", library, "/var/runtime", "/lib"],
        "view_files": [f"{places.layer}/layer.txt", f"{places.task}/python/attempts.py"],
        "interpreter_files": [f"{library}/os.py", *([] if is_bare else ["/usr/bin/env", "/etc/passwd"])],
        "caches": [] if is_bare else [f"{library}/__pycache__", f"{library}/json/__pycache__"],
        "outside": [str(staged.root / "host")] if is_bare else [],
        "watched": [places.layer, "/usr/bin"],
        "locked": [f"{places.layer}/layer.txt"],
        "launcher": str(staged.root / "host" / "launcher"),
        "shim_pids": [staged.victim.pid] if is_bare else [1],
        "sibling_pid": 0,
        "sibling_port": _SIBLING_PORT,
        "sibling_abstract": f"{staged.mark}-sibling",
        "sibling_file": f"/tmp/{staged.mark}-sibling",
        "runtime_api_port": doors[0],
        "doors": doors,
        "allowed_system_calls": allowed_system_calls(),
    }


def furnish(staged: Stage) -> None:
    """The package and the layer, writable for everybody: only the sandbox stands before them."""
    for language in ("python", "nodejs"):
        shutil.copytree(PROBES / language, staged.task / language, ignore=shutil.ignore_patterns("__pycache__"))
    native = compile_native(staged.task / "native")
    for name in ("setuid", "capable"):
        shutil.copyfile(native, staged.layer / name)
    shutil.copyfile(native, staged.root / "host" / "launcher")
    (staged.layer / "layer.txt").write_text("a layer\n")
    for path in [staged.root, *staged.root.rglob("*")]:
        if not path.is_socket():
            path.chmod(0o777 if path.is_dir() else 0o666)
    for program in (staged.task / "native", staged.root / "host" / "launcher"):
        program.chmod(0o777)
    (staged.layer / "setuid").chmod(0o4755)
    (staged.layer / "capable").chmod(0o755)
    if os.geteuid() == 0:
        # A version 2 capability set, effective: SETUID and SYS_ADMIN.
        allowed = (1 << 7 | 1 << 21).to_bytes(4, "little")
        os.setxattr(staged.layer / "capable", "security.capability", b"\x01\0\0\x02" + allowed + bytes(12))


@asynccontextmanager
async def ground_of(kind: str, staged: Stage) -> AsyncIterator[tuple[Ground, dict[str, Any]]]:
    """The ground, and what its driver says of itself."""
    if kind == "bare":
        yield BareGround(staged.task, staged.layer), {"grade": "none", "findings": []}
        return
    driver = NamespaceDriver(CLOCK, f"{MARK}-escape")
    try:
        capabilities = driver.capabilities()
        facts = {"grade": capabilities.grade.value, "findings": [each.name for each in capabilities.findings]}
        yield SandboxGround(driver, staged.task, staged.layer), facts
    finally:
        await driver.close()


async def run(kind: str, languages: Sequence[str], probes: Sequence[Probe], *, quick: bool) -> dict[str, Any]:
    """Everything asked for; JSON."""
    with marked_directory() as root, stage(root) as staged:
        furnish(staged)
        async with ground_of(kind, staged) as (ground, facts):
            verdicts: list[Verdict] = []
            for language in languages:
                suite = Suite(ground, staged, language)
                async with suite.beside():
                    verdicts += await suite.verdicts(runs_of(probes, language, quick=quick))
        return {"mark": MARK, **facts, "verdicts": [asdict(each) for each in verdicts]}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.escape.run")
    parser.add_argument("--ground", choices=("namespace", "bare"), default="namespace")
    parser.add_argument("--language", action="append", choices=LANGUAGES, help="default: all")
    parser.add_argument("--probe", action="append", help="default: all that run in a sandbox")
    parser.add_argument("--quick", action="store_true", help="leave out those that take more than a second")
    asked = parser.parse_args()
    probes = [named(name) for name in asked.probe] if asked.probe else list(ALL)
    with private_machine() if asked.ground == "bare" else contextlib.nullcontext():
        result = asyncio.run(run(asked.ground, asked.language or LANGUAGES, probes, quick=asked.quick))
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
