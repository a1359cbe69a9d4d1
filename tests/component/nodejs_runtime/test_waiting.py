"""A worker that was started before its function was known serves it as a process started for it would."""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.component.nodejs_runtime.node_process import every_node, lampion_command, write_files
from tests.component.python_runtime.fake_runtime_api import Event, FakeRuntimeApi, Post

OWN = {"PATH": os.environ["PATH"], "LANG": "en_US.UTF-8", "TZ": ":UTC", "ONLY_THE_WORKERS": "1"}
_SECONDS = 20.0
REHEARSED_AGAIN_SECONDS = 4.5


class Worker:
    """A waiting worker; descriptor 4 is the end of a pipe whose other end takes its orders."""

    def __init__(self, major: int) -> None:
        reading, self._orders = os.pipe()
        closed = "" if reading == 4 else f" {reading}<&-"
        command = ["/bin/bash", "-c", f'exec "$@" 4<&{reading}{closed}', "bash", *lampion_command(major), "--wait"]
        self.process = subprocess.Popen(
            command,
            env=OWN,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[reading],
        )
        os.close(reading)

    def wait_until_it_waits(self) -> None:
        """Until its main thread waits for its orders."""
        give_up = time.monotonic() + _SECONDS
        used = -1
        while used != (now_used := cpu_ticks(self.process.pid)) or not self.is_asleep():
            used = now_used
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < give_up
            time.sleep(0.05)

    def is_asleep(self) -> bool:
        return Path(f"/proc/{self.process.pid}/wchan").read_text().startswith(("ep_poll", "do_epoll_wait"))

    def order(self, environ: Mapping[str, str]) -> None:
        for name, value in environ.items():
            os.write(self._orders, f"{name}={value}\0".encode())  # in pieces, as a pipe may give them
        self.end_orders()

    def end_orders(self) -> None:
        os.close(self._orders)
        self._orders = -1


@contextmanager
def waiting(major: int) -> Iterator[Worker]:
    worker = Worker(major)
    try:
        worker.wait_until_it_waits()
        yield worker
    finally:
        worker.process.kill()
        worker.process.communicate(timeout=_SECONDS)
        if worker._orders >= 0:
            worker.end_orders()


def environ(task: Path, address: str, **variables: str) -> dict[str, str]:
    return {
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_LAMBDA_FUNCTION_NAME": "table",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/table",
        "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
        "LAMBDA_TASK_ROOT": str(task),
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "_HANDLER": "index.handler",
        "TZ": ":UTC",
        **variables,
    }


def served(worker: Worker, api: FakeRuntimeApi) -> Post:
    assert api.exhausted.wait(_SECONDS), worker.process.poll()
    return api.posts[-1]


SHOW = """
const lib = require('layered');
exports.handler = async () => ({
  env: process.env, cwd: process.cwd(), argv: process.argv.length, lib, main: require.main === undefined,
  cached: Object.keys(require.cache).filter((file) => file.includes('runtimes/nodejs')),
  globals: Reflect.ownKeys(globalThis).map(String),
  hour: new Date(0).getHours(), zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
});
"""


@every_node
@pytest.mark.parametrize("wait_seconds", [0, REHEARSED_AGAIN_SECONDS])
def test_it_becomes_the_functions_process(major: int, wait_seconds: float, tmp_path: Path) -> None:
    task, layer = tmp_path / "task", tmp_path / "layer"
    with FakeRuntimeApi([Event()]) as api, waiting(major) as worker:
        write_files(SHOW, task)  # only now, as files are mounted under a waiting worker
        write_files({"layered/index.js": "module.exports = 'from the layer';"}, layer)
        time.sleep(wait_seconds)
        variables = environ(task, api.address, TZ="Asia/Tokyo", NODE_PATH=str(layer), TEXT="é=x\n")
        worker.order(variables)
        told: dict[str, Any] = json.loads(served(worker, api).body)
    trace = told["env"].pop("_X_AMZN_TRACE_ID")
    assert trace.startswith("Root=")
    assert told["env"] == variables
    assert (told["hour"], told["zone"], told["cwd"]) == (9, "Asia/Tokyo", str(task))
    assert (told["lib"], told["argv"], told["main"], told["cached"]) == ("from the layer", 2, True, [])
    assert told["globals"] == globals_of_a_new_process(major, variables, task)


def globals_of_a_new_process(major: int, variables: Mapping[str, str], task: Path) -> list[str]:
    with FakeRuntimeApi([Event()]) as api:
        own = {**OWN, **variables, "AWS_LAMBDA_RUNTIME_API": api.address}
        with subprocess.Popen(lampion_command(major), env=own, cwd=task, stdin=subprocess.DEVNULL) as process:
            assert api.exhausted.wait(_SECONDS), process.poll()
            process.kill()
        names: list[str] = json.loads(api.posts[-1].body)["globals"]
    return names


KINDS: Mapping[str, Mapping[str, str]] = {
    "CommonJS": {"index.js": "exports.handler = async () => 'CommonJS';"},
    "module by package.json": {
        "index.js": "import {x} from './lib.js';\nexport const handler = async () => x;",
        "lib.js": "export const x = 'module by package.json';",
        "package.json": '{"type": "module"}',
    },
    "mjs": {"index.mjs": "export const handler = async () => 'mjs';"},
    "dependency": {
        "index.js": "exports.handler = async () => require('dep').x;",
        "node_modules/dep/package.json": '{"exports": {"require": "./main.cjs"}}',
        "node_modules/dep/main.cjs": "exports.x = 'dependency';",
    },
}


@every_node
@pytest.mark.parametrize("kind", KINDS)
def test_files_that_came_after_it_began_to_wait_are_found(major: int, kind: str, tmp_path: Path) -> None:
    task = tmp_path / "task"
    with FakeRuntimeApi([Event()]) as api, waiting(major) as worker:
        write_files(KINDS[kind], task)
        worker.order(environ(task, api.address))
        assert json.loads(served(worker, api).body) == kind


@every_node
def test_the_orders_descriptor_is_closed_to_the_function(major: int, tmp_path: Path) -> None:
    source = """
const fs = require('fs');
exports.handler = async () => fs.readdirSync('/proc/self/fd').filter((fd) => {
  try { return fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith('pipe:') && Number(fd) > 2; } catch { return false; }
}).filter((fd) => fs.readlinkSync(`/proc/self/fd/${fd}`) === process.env.ORDERS);
"""
    with FakeRuntimeApi([Event()]) as api, waiting(major) as worker:
        write_files(source, tmp_path)
        orders = str(Path(f"/proc/{worker.process.pid}/fd/4").readlink())
        assert orders.startswith("pipe:")
        worker.order(environ(tmp_path, api.address, ORDERS=orders))
        assert json.loads(served(worker, api).body) == []


@every_node
def test_its_output_blocks_as_a_new_process_finds_it(major: int, tmp_path: Path) -> None:
    """What Node.js does to pipes at its first look at process.stdout would make writes to the descriptor fail."""
    source = "exports.handler = async () => require('fs').readFileSync('/proc/self/fdinfo/' + process.env.FD, 'utf8');"
    for descriptor in ("1", "2"):
        with FakeRuntimeApi([Event()]) as api, waiting(major) as worker:
            write_files(source, tmp_path)
            worker.order(environ(tmp_path, api.address, FD=descriptor))
            flags = json.loads(served(worker, api).body).split("flags:")[1].split()[0]
        assert not int(flags, 8) & os.O_NONBLOCK


@every_node
def test_without_orders_it_ends_quietly(major: int) -> None:
    with waiting(major) as worker:
        worker.end_orders()
        assert worker.process.communicate(timeout=_SECONDS) == (b"", b"")
        assert worker.process.returncode == 0


@every_node
def test_it_waits_without_work(major: int) -> None:
    with waiting(major) as worker:
        before = cpu_ticks(worker.process.pid)
        time.sleep(0.3)
        assert cpu_ticks(worker.process.pid) == before


@every_node
def test_it_uses_what_it_has_loaded_again_while_it_waits(major: int) -> None:
    with waiting(major) as worker:
        before = cpu_nanoseconds(worker.process.pid)
        time.sleep(REHEARSED_AGAIN_SECONDS)
        used = cpu_nanoseconds(worker.process.pid) - before
        assert 200_000 < used < 200_000_000  # a rehearsal, and no more than some


def cpu_nanoseconds(pid: int) -> int:
    """Of the main thread."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
