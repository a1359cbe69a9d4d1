"""64 MiB through InvokeWithResponseStream: how soon the first piece is there, how fast the rest, in how much memory."""

from statistics import median

from benchmarks.measure.exchange import Answer, connected, events
from benchmarks.raw_functions import FIRST_PIECE, PIECE_BYTES, STREAM
from benchmarks.results import Sample
from benchmarks.systems.system import Running
from benchmarks.workloads.workload import Effort, Workload

PIECES = 64 * 1024 * 1024 // PIECE_BYTES
_ROOM_BYTES = 2 * PIECES * PIECE_BYTES


def is_right(answer: Answer, pieces: int) -> bool:
    """All that was streamed is there, and the end says nothing of an error."""
    total, last_headers, last = 0, b"", b""
    for headers, payload in events(answer.body):
        if b"PayloadChunk" in headers:
            total += len(payload)
        last_headers, last = headers, payload
    ended_well = b"InvokeComplete" in last_headers and b"ErrorCode" not in last
    return answer.status == 200 and ended_well and total == len(FIRST_PIECE) + pieces * PIECE_BYTES


def _measure(running: Running, repeat: int, effort: Effort) -> list[Sample]:
    assert running.function_of is not None
    function = running.function_of(STREAM)
    short = function.endpoint.stream_request(function.function_name, b"0")
    long = function.endpoint.stream_request(function.function_name, str(PIECES).encode())
    with connected(function.endpoint.url, _ROOM_BYTES) as exchange:
        firsts = [exchange.ask_for_stream(short, FIRST_PIECE) for _ in range(1 + effort.stream_calls)][1:]
        before_mib = function.processes.begin_root_peak()
        used_before = function.processes.cpu_seconds()
        answers = [exchange.ask_for_stream(long, FIRST_PIECE) for _ in range(effort.stream_calls)]
        used = function.processes.cpu_seconds() - used_before
        grown_mib = function.processes.root_peak_mib() - before_mib
    wrong = sum(not is_right(one, 0) for one in firsts) + sum(not is_right(one, PIECES) for one in answers)
    mib = PIECES * PIECE_BYTES / 2**20
    return [
        Sample(
            repeat=repeat,
            value=1e3 * median(one.first_seconds or one.seconds for one in firsts),
            requests=len(firsts) + len(answers),
            wrong_answers=wrong,
            more={
                "of a long one, ms": 1e3 * median(one.first_seconds or one.seconds for one in answers),
                "MiB/s": mib / median(one.seconds for one in answers),
                "CPU ms/MiB": 1e3 * used / (mib * len(answers)),
                "server grew by MiB": grown_mib,
            },
        )
    ]


STREAM_64MB = Workload("stream_64mb", "first piece of a streamed answer", "ms", "lower", _measure)
