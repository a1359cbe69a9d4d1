"""Programs that run beside the main one: what every driver that offers them promises."""

import asyncio
import contextlib
import errno
import os
import signal
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from lampion.sandbox.companions import NotStarted, ProcessEnd
from lampion.sandbox.driver import Driver, Exit, Sandbox
from lampion.sandbox.drivers.namespace import NamespaceDriver
from lampion.sandbox.spec import Companions, Mount, SandboxSpec
from tests.sandbox.boxes import eventually, output_pipe, patiently, processes_with, read, spec_of, started, writers_to

# The guarded driver is one of namespaces; runc does the same as crun, which two tests show.
every_driver = pytest.mark.parametrize("driver", ["process", "guarded namespace", "oci crun"], indirect=True)
and_runc = pytest.mark.parametrize("driver", ["process", "guarded namespace", "oci crun", "oci runc"], indirect=True)
SLEEP = "#!/bin/sh\nexec sleep 60\n"
SLEEPING = "import time; print('main', flush=True); time.sleep(60)"


class Ends(list[ProcessEnd]):
    """The ends of processes, as they come."""

    def follow(self, sandbox: Sandbox) -> "Ends":
        assert sandbox.processes is not None
        sandbox.processes.follow(self.append)
        return self

    def how(self, program: str | None) -> Exit | NotStarted | None:
        return next((end.how for end in self if end.program == program), None)


def with_companions(
    task: Path, programs: Mapping[str, str], *, main: str = SLEEPING, environ: Mapping[str, str] | None = None
) -> SandboxSpec:
    """A sandbox that runs these scripts, and `main` as its main program's code."""
    directory = task / "beside"
    directory.mkdir(exist_ok=True)
    directory.chmod(0o755)
    for name, script in programs.items():
        (directory / name).write_text(script)
        (directory / name).chmod(0o755)
    spec = spec_of(main, task=task)
    return replace(
        spec,
        mounts=(*spec.mounts, Mount(directory, "/opt/beside")),
        companions=Companions(
            tuple(f"/opt/beside/{name}" for name in programs), {"PATH": "/usr/bin:/bin", **(environ or {})}
        ),
    )


def drain(descriptor: int) -> None:
    with contextlib.suppress(BlockingIOError):
        while os.read(descriptor, 65536):
            pass


def companions_of(sandbox: Sandbox) -> int:
    assert sandbox.processes is not None
    return sandbox.processes.output


@and_runc
async def test_companions_run_before_the_main_program_which_waits_until_it_is_told(driver: Driver, task: Path) -> None:
    programs = {name: f"#!/bin/sh\necho {name} $$ .\nexec sleep 60\n" for name in ("a", "b")}
    async with started(driver, with_companions(task, programs)) as sandbox:
        said = await read(companions_of(sandbox), until=b".\n")
        if said.count(b".\n") < 2:
            said += await read(companions_of(sandbox), until=b".\n")
        numbers = {line.split()[0]: int(line.split()[1]) for line in said.decode().splitlines()}
        assert numbers["a"] < numbers["b"], "they start in their order"
        await asyncio.sleep(0.2)
        with pytest.raises(BlockingIOError):
            os.read(sandbox.output, 100)
        assert sandbox.processes is not None
        sandbox.processes.start_main()
        assert await read(sandbox.output, until=b"main\n") == b"main\n"


@every_driver
async def test_a_companion_has_its_own_variables_and_no_descriptors_but_its_output(driver: Driver, task: Path) -> None:
    script = "#!/bin/sh\nenv\necho 'fds:' $(ls /proc/self/fd | tr '\\n' ' ')\npwd\necho done >&2\n"
    spec = with_companions(task, {"x": script}, environ={"MINE": "1"})
    async with started(driver, replace(spec, environ={"YOURS": "2"})) as sandbox:
        lines = (await read(companions_of(sandbox), until=b"done\n")).decode().splitlines()
        variables = dict(line.split("=", 1) for line in lines if "=" in line)
        assert variables["MINE"] == "1"
        assert variables["AWS_LAMBDA_RUNTIME_API"].startswith("127.0.0.1:")
        assert variables["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
        assert not variables.keys() & {"YOURS", "_LAMBDA_TELEMETRY_LOG_FD"}
        assert lines[-2:] == ["/", "done"]
        assert lines[-3] in ("fds: 0 1 2 3", "fds: 0 1 2 3 ")  # 3 is the directory that ls lists


@every_driver
async def test_a_companion_reaches_the_runtime_api(driver: Driver, task: Path) -> None:
    script = "#!/usr/bin/env python3\nimport os, socket\nhost, port = os.environ['AWS_LAMBDA_RUNTIME_API'].split(':')\n"
    script += "peer = socket.create_connection((host, int(port)))\npeer.sendall(b'hello')\npeer.recv(1)\n"
    async with started(driver, with_companions(task, {"x": script})) as sandbox:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(patiently(20)):
            peer, _ = await loop.sock_accept(sandbox.runtime_api)
            with peer:
                assert await loop.sock_recv(peer, 100) == b"hello"


@and_runc
async def test_each_end_is_told_and_none_but_the_last_is_the_sandboxs(driver: Driver, task: Path) -> None:
    programs = {"a": "#!/bin/sh\nexit 7\n", "b": "#!/bin/sh\nkill -11 $$\n", "c": SLEEP}
    async with started(driver, with_companions(task, programs, main="raise SystemExit(3)")) as sandbox:
        ends = Ends().follow(sandbox)
        assert sandbox.processes is not None
        assert await eventually(lambda: len(ends) == 2)
        assert (ends.how("/opt/beside/a"), ends.how("/opt/beside/b")) == (Exit(7), Exit(None, signal.SIGSEGV))
        sandbox.processes.start_main()
        assert await eventually(lambda: ends.how(None) == Exit(3))
        waiting = asyncio.create_task(sandbox.wait())
        await asyncio.sleep(0.1)
        assert not waiting.done()
        sandbox.processes.kill("/opt/beside/c")
        async with asyncio.timeout(patiently(20)):
            assert await waiting == Exit(3)
        assert ends.how("/opt/beside/c") == Exit(None, signal.SIGKILL)
        assert len(ends) == 4


@every_driver
async def test_ends_that_come_before_anybody_asks_are_told_too(driver: Driver, task: Path) -> None:
    async with started(driver, with_companions(task, {"x": "#!/bin/sh\nexit 1\n"})) as sandbox:
        assert await read(companions_of(sandbox)) == b""
        await asyncio.sleep(0.2)
        assert Ends().follow(sandbox) == [ProcessEnd("/opt/beside/x", Exit(1))]


@every_driver
@pytest.mark.parametrize(
    ("script", "mode", "number", "reason"),
    [
        (SLEEP, 0o644, errno.EACCES, "permission denied"),
        ("no program\n", 0o755, errno.ENOEXEC, "exec format error"),
        ("#!/no/such/interpreter\n", 0o755, errno.ENOENT, "no such file or directory"),
    ],
)
async def test_what_cannot_be_executed_is_told_and_the_others_run(
    driver: Driver, task: Path, script: str, mode: int, number: int, reason: str
) -> None:
    spec = with_companions(task, {"bad": script, "good": SLEEP})
    (task / "beside" / "bad").chmod(mode)
    async with started(driver, spec) as sandbox:
        ends = Ends().follow(sandbox)
        assert await eventually(lambda: bool(ends))
        assert ends == [ProcessEnd("/opt/beside/bad", NotStarted(number))]
        assert NotStarted(number).reason == reason


@every_driver
async def test_a_main_program_that_cannot_be_executed_is_told_when_it_is_to_start(driver: Driver, task: Path) -> None:
    spec = with_companions(task, {"x": SLEEP})
    async with started(driver, replace(spec, argv=("/var/task/nothing",))) as sandbox:
        ends = Ends().follow(sandbox)
        await asyncio.sleep(0.1)
        assert ends == []
        assert sandbox.processes is not None
        sandbox.processes.start_main()
        assert await eventually(lambda: bool(ends))
        assert ends == [ProcessEnd(None, NotStarted(errno.ENOENT))]


@every_driver
async def test_the_main_program_can_be_asked_to_end_and_killed_by_itself(driver: Driver, task: Path) -> None:
    main = "import os, signal, time\nsignal.signal(signal.SIGTERM, lambda *_: os.write(1, b'asked\\n'))\n"
    main += "os.write(1, b'main\\n')\nwhile True: time.sleep(1)"
    async with started(driver, with_companions(task, {"x": SLEEP}, main=main)) as sandbox:
        ends = Ends().follow(sandbox)
        assert sandbox.processes is not None
        sandbox.processes.start_main()
        await read(sandbox.output, until=b"main\n")
        sandbox.processes.terminate_main()
        await read(sandbox.output, until=b"asked\n")
        sandbox.processes.kill(None)
        assert await eventually(lambda: bool(ends))
        assert ends == [ProcessEnd(None, Exit(None, signal.SIGKILL))]


@every_driver
async def test_one_that_was_never_told_to_start_is_killed_with_the_sandbox(driver: Driver, task: Path) -> None:
    spec = with_companions(task, {"x": SLEEP})
    async with started(driver, spec) as sandbox:
        pipe = output_pipe(sandbox)
        async with asyncio.timeout(patiently(20)):
            assert await sandbox.stop(0) == Exit(None, signal.SIGKILL)
        assert await eventually(lambda: writers_to(pipe) == [])


@every_driver
async def test_stopping_ends_companions_and_whatever_they_started(driver: Driver, task: Path) -> None:
    word = f"lampion-test-{os.getpid()}-{socket.gethostname()}"
    script = f"#!/bin/sh\n(setsid sh -c 'sleep 60; : {word}' &)\nsleep 60; : {word}\n"
    async with started(driver, with_companions(task, {"x": script}, environ={"WORD": word})) as sandbox:
        assert await eventually(lambda: len(processes_with(word)) >= 2)
        async with asyncio.timeout(patiently(20)):
            await sandbox.stop(0)
        assert await eventually(lambda: processes_with(word) == [])


@every_driver
async def test_a_frozen_companion_does_nothing(driver: Driver, task: Path) -> None:
    script = "#!/bin/sh\nwhile :; do echo tick; sleep 0.01; done\n"
    async with started(driver, with_companions(task, {"x": script})) as sandbox:
        ticks = companions_of(sandbox)
        await read(ticks, until=b"tick\ntick\n")
        sandbox.freeze()
        await asyncio.sleep(0.1)
        drain(ticks)
        await asyncio.sleep(0.2)
        with pytest.raises(BlockingIOError):
            os.read(ticks, 100)
        sandbox.thaw()
        await read(ticks, until=b"tick\n")


@every_driver
async def test_ten_may_be_there(driver: Driver, task: Path) -> None:
    programs = {f"p{number}": f"#!/bin/sh\necho p{number}\n" for number in range(10)}
    async with started(driver, with_companions(task, programs)) as sandbox:
        ends = Ends().follow(sandbox)
        assert sorted((await read(companions_of(sandbox))).decode().split()) == sorted(programs)
        assert await eventually(lambda: len(ends) == 10)
        assert {end.how for end in ends} == {Exit(0)}


async def test_companions_are_confined_as_the_function_is_and_do_not_see_into_it_before_it_starts(
    namespace: NamespaceDriver, task: Path
) -> None:
    script = "#!/bin/sh\ngrep -E '^(CapEff|CapPrm|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status\n"
    script += "for file in environ mem; do cat /proc/2/$file > /dev/null 2>&1 && echo open $file; done\n"
    script += "touch /opt/beside/x /new 2> /dev/null && echo wrote\necho done\n"
    async with started(namespace, with_companions(task, {"x": script})) as sandbox:
        lines = (await read(companions_of(sandbox), until=b"done\n")).decode().splitlines()
        assert [line.split() for line in lines] == [
            ["CapPrm:", "0000000000000000"],
            ["CapEff:", "0000000000000000"],
            ["CapBnd:", "0000000000000000"],
            ["NoNewPrivs:", "1"],
            ["Seccomp:", "2"],
            ["done"],
        ]
