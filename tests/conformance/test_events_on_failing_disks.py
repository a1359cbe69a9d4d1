"""Events while the disk is full, broken or slow: none is accepted that isn't stored, none that was accepted is lost."""

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.chaos.disk.shim import Fault, build_shim, under_shim
from tests.chaos.events.queue_file import QueueFile
from tests.deployment import Functions, unique_name
from tests.live_server import LiveServer
from tests.own_disk import fill, health, make_room, on_its_own_disk, status

ECHO = "def handler(event, context):\n    return event\n"
SECONDS = 20.0
ROOT = Path(__file__).parents[2]


def send(client: Any, name: str, text: str = "") -> str:
    """The request id of an accepted event. Raises ClientError."""
    answer = client.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps({"text": text}))
    assert answer["StatusCode"] == 202
    return str(answer["ResponseMetadata"]["RequestId"])


def send_until_refused(client: Any, name: str, text: str = "") -> tuple[list[str], dict[str, Any]]:
    """Those that were accepted, and the refusal."""
    accepted: list[str] = []
    for _ in range(2000):
        try:
            accepted.append(send(client, name, text))
        except ClientError as error:
            return accepted, error.response
    raise AssertionError("none is refused")


def answers_at_once(client: Any, name: str) -> None:
    """A warm function needs no disk."""
    began = time.monotonic()
    assert json.loads(client.invoke(FunctionName=name, Payload="[1]")["Payload"].read()) == [1]
    assert time.monotonic() - began < 2


def until(condition: Callable[[], bool], why: str) -> None:
    give_up_at = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < give_up_at, why
        time.sleep(0.05)


def on_disk(data: Path) -> tuple[list[str], int]:
    """The request ids of all ends, and how many entries are left."""
    file = QueueFile(data)
    left = file.left(without="")
    return [one.request_id for one in file.new_endings()], left


def seen_from_inside(server: LiveServer) -> tuple[list[str], int]:
    """`on_disk` on a disk that only the server sees."""
    assert server.process is not None
    inside = ("nsenter", "--mount", "--target", str(server.process.pid), "--")
    program = f"import json, sys; from {__name__} import *; print(json.dumps(on_disk(Path(sys.argv[1]))))"
    command = [*inside, sys.executable, "-c", program, str(server.data)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    told = subprocess.run(command, capture_output=True, timeout=30, check=True, text=True, env=environ).stdout
    ended, left = json.loads(told)
    return ended, left


def all_end_once(look: Callable[[], tuple[list[str], int]], accepted: list[str], *, others: int = 0) -> None:
    """As many as `others` may have been stored although they were refused."""
    until(lambda: look()[1] == 0, "not all that was accepted ends")
    ended, _ = look()
    assert set(accepted) - set(ended) == set(), "accepted and lost"
    assert len(ended) == len(set(ended)), "ended twice"
    assert len(set(ended) - set(accepted)) <= others, "ended without having been accepted"


def is_refused_for_the_server(answer: dict[str, Any]) -> bool:
    status_code = answer["ResponseMetadata"]["HTTPStatusCode"]
    return (answer["Error"]["Code"], status_code) == ("ServiceException", 500)


@pytest.mark.skipif(os.geteuid() != 0, reason="a file system of one's own takes root")
def test_a_full_disk_refuses_events_and_loses_none(marked_root: Path) -> None:
    with on_its_own_disk(marked_root / unique_name("own-disk")) as server:
        client, url, environ = server.client(), server.url, server.aws_environ()
        name = Functions(client, "full")(ECHO)
        accepted = [send(client, name) for _ in range(20)]
        answers_at_once(client, name)
        for _ in range(2):
            fill(server.root)
            more, refusal = send_until_refused(client, name, "x" * 50_000)
            accepted += more
            assert is_refused_for_the_server(refusal), refusal
            assert str(server.data) not in refusal["Error"]["Message"]
            assert health(url) == (503, {"status": "failing", "failing": ["queues"]})
            told = status(environ)
            assert told.returncode == 8
            assert "\nqueues: database or disk is full (for " in told.stdout
            answers_at_once(client, name)
            make_room(server.root)
            until(lambda: health(url) == (200, {"status": "ok"}), "it doesn't recover alone")
            accepted.append(send(client, name))
        all_end_once(lambda: seen_from_inside(server), accepted)
        assert "Traceback" not in server.output
        client.close()


class Broken:
    """A server whose databases are on a disk under test; `fault` says what is wrong with it from now on."""

    def __init__(self, server: LiveServer, file: Path) -> None:
        self.server = server
        self._file = file

    def fault(self, fault: Fault | None) -> None:
        if fault is None:
            self._file.unlink()
        else:
            written = self._file.with_suffix(".new")
            written.write_text(str(fault))
            written.rename(self._file)


@pytest.fixture
def broken(marked_root: Path, tmp_path: Path) -> Iterator[Broken]:
    data, fault = marked_root / unique_name("broken-disk"), tmp_path / "fault"
    with LiveServer(data=data, environ=under_shim(build_shim(tmp_path), data, fault)) as server:
        yield Broken(server, fault)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param(Fault("error", errno.EIO, "s"), "disk I/O error", id="what is written can't be synced"),
        pytest.param(Fault("error", errno.EIO, "w"), "disk I/O error", id="nothing can be written"),
        pytest.param(Fault("error", errno.EROFS, "w"), "disk I/O error", id="the file system is read-only"),
    ],
)
def test_a_broken_disk_refuses_events_and_loses_none(broken: Broken, fault: Fault, reason: str) -> None:
    server = broken.server
    client, url = server.client(), server.url
    name = Functions(client, "broken")(ECHO)
    accepted = [send(client, name) for _ in range(20)]
    answers_at_once(client, name)
    broken.fault(fault)
    more, refusal = send_until_refused(client, name)
    assert more == [], "what isn't on disk isn't accepted"
    assert is_refused_for_the_server(refusal), refusal
    assert health(url) == (503, {"status": "failing", "failing": ["queues"]})
    assert f"\nqueues: {reason}" in status(server.aws_environ()).stdout
    answers_at_once(client, name)
    time.sleep(1.5)
    assert health(url)[0] == 503, "trying doesn't make it well"
    broken.fault(None)
    until(lambda: health(url) == (200, {"status": "ok"}), "it doesn't recover alone")
    accepted.append(send(client, name))
    all_end_once(lambda: on_disk(server.data), accepted, others=1)
    assert "Traceback" not in server.output
    client.close()


def test_what_runs_while_the_disk_breaks_ends_when_it_is_well(broken: Broken) -> None:
    server = broken.server
    client = server.client()
    name = Functions(client, "breaks")("import time\n\ndef handler(event, context):\n    time.sleep(1)\n")
    accepted = [send(client, name) for _ in range(3)]
    time.sleep(0.5)
    broken.fault(Fault("error", errno.EIO, "ws"))
    until(lambda: health(server.url)[0] == 503, "what has ended can't be stored, and nobody tells")
    time.sleep(1.5)
    assert QueueFile(server.data).new_endings() == []
    broken.fault(None)
    all_end_once(lambda: on_disk(server.data), accepted)
    until(lambda: health(server.url)[0] == 200, "it doesn't recover alone")
    client.close()


def test_a_slow_disk_delays_events_and_nothing_else(broken: Broken) -> None:
    server = broken.server
    client, url = server.client(), server.url
    name = Functions(client, "slow")(ECHO)
    accepted = [send(client, name)]
    answers_at_once(client, name)
    broken.fault(Fault("slow", 2000, "s"))
    with ThreadPoolExecutor(1) as thread:
        began = time.monotonic()
        late = thread.submit(send, client, name)
        until(lambda: health(url) == (503, {"status": "failing", "failing": ["queues-slow"]}), "nobody tells")
        assert not late.done(), "accepted before it was on disk"
        answers_at_once(client, name)
        accepted.append(late.result())
        assert time.monotonic() - began >= 2
    broken.fault(None)
    until(lambda: health(url)[0] == 200, "it doesn't recover alone")
    all_end_once(lambda: on_disk(server.data), accepted)
    client.close()


def test_an_event_that_takes_too_long_to_store_is_refused_and_runs_once_if_it_is_there(broken: Broken) -> None:
    server = broken.server
    client = server.client()
    name = Functions(client, "slower")(ECHO)
    accepted = [send(client, name)]
    all_end_once(lambda: on_disk(server.data), accepted)
    broken.fault(Fault("slow", 13_000, "s"))
    more, refusal = send_until_refused(client, name)
    assert more == []
    assert is_refused_for_the_server(refusal), refusal
    broken.fault(None)
    until(lambda: health(server.url)[0] == 200, "it doesn't recover alone")
    accepted.append(send(client, name))
    all_end_once(lambda: on_disk(server.data), accepted, others=1)
    client.close()
