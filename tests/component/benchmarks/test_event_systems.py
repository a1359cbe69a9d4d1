"""What is measured of events, large payloads and streams: that it runs, tells the truth, and counts what goes wrong."""

import os
import sqlite3

import pytest

from benchmarks.results import BESIDE_SHA256, WITH_PYTHON_OBJECTS
from benchmarks.systems import queue_file
from benchmarks.systems.catalogue import CATALOGUE
from benchmarks.systems.event_floors import QueueRoom, SqliteBatch
from benchmarks.systems.lampion_queued import LampionDrain, LampionQueued, nothing_lost
from benchmarks.systems.system import Intake, Scratch
from benchmarks.workloads.async_drain import ASYNC_DRAIN
from benchmarks.workloads.async_durable import ASYNC_DURABLE
from benchmarks.workloads.payload_6mb import PAYLOAD_6MB
from benchmarks.workloads.stream_64mb import STREAM_64MB
from benchmarks.workloads.workload import SMOKE


@pytest.fixture
def scratch(tmp_path):
    output = os.open(os.devnull, os.O_WRONLY)
    yield Scratch(tmp_path, output)
    os.close(output)


def test_events_come_on_top_of_those_that_wait_and_none_is_lost(scratch):
    with LampionQueued("queued", 300).running(scratch) as running:
        [sample] = ASYNC_DURABLE.measure(running, 1, SMOKE)
        kept = queue_file.depth(queue_file.file_in(scratch.directory / "data"))

    assert sample.wrong_answers == 0
    assert sample.requests > 50
    assert kept > 300 + sample.requests  # those of the time to warm up, too


def test_what_was_accepted_and_is_not_there_counts_as_wrong(tmp_path):
    file = queue_file.file_in(tmp_path)
    queue_file.fill(file, "holds", 10, due_in_seconds=60)

    def losing(seconds: int) -> Intake:
        queue_file.fill(file, "holds", 7, due_in_seconds=60)
        return Intake(9, 1, 9.0, 1.0, 1.0, 0.1)

    assert nothing_lost(losing, file)(1).wrong_answers == 1 + 1


def test_all_queued_events_run_to_their_ends(scratch):
    with LampionDrain().running(scratch) as running:
        [sample] = ASYNC_DRAIN.measure(running, 1, SMOKE)

    assert sample.wrong_answers == 0
    assert 0 < sample.requests <= SMOKE.drained_events


def test_endings_are_counted_by_how_they_were(tmp_path):
    file = queue_file.file_in(tmp_path)
    queue_file.fill(file, "echo", 4, due_in_seconds=0)
    with sqlite3.connect(file) as connection:
        for sequence, ending in ((1, "Success"), (1, "Success"), (2, "Success"), (3, "RetriesExhausted")):
            connection.execute(
                "INSERT INTO endings (sequence, queue, request_id, ended_epoch_ms, ending) VALUES (?, 1, '', 0, ?)",
                (sequence, ending),
            )
    connection.close()

    assert queue_file.ended(file) == 4
    assert queue_file.succeeded(file) == 2


def test_the_yardstick_keeps_what_it_says(scratch):
    with SqliteBatch("sqlite").running(scratch) as running:
        assert running.take_events is not None
        told = running.take_events(1)

    with sqlite3.connect(scratch.directory / "events.db") as connection:
        (kept,) = connection.execute("SELECT COUNT(*) FROM events WHERE length(event) = 900").fetchone()
    connection.close()
    assert kept == told.events > 0
    assert told.cpu_seconds > 0


def test_the_queue_room_keeps_what_it_says(scratch):
    with QueueRoom("room", 100).running(scratch) as running:
        assert running.take_events is not None
        told = running.take_events(1)

    assert queue_file.depth(queue_file.file_in(scratch.directory)) == 100 + told.events
    assert told.events > 50


def test_six_megabytes_go_in_and_out_and_streams_come_whole(scratch):
    with CATALOGUE["lampion"].running(scratch) as running:
        payloads = PAYLOAD_6MB.measure(running, 1, SMOKE)
        [stream] = STREAM_64MB.measure(running, 1, SMOKE)

    assert [sample.kind for sample in payloads] == ["", WITH_PYTHON_OBJECTS, BESIDE_SHA256]
    assert [sample.wrong_answers for sample in (*payloads, stream)] == [0, 0, 0, 0]
    assert stream.more["MiB/s"] > 1
    assert payloads[0].more["server grew by MiB"] > 6
    assert stream.more["server grew by MiB"] < 64
