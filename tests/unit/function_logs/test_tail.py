"""The tail is the end of the invocation's log, and never more than asked for."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from lampion.function_logs.tail import Tail


@given(st.lists(st.binary(max_size=40)), st.integers(1, 64))
def test_the_tail_is_the_end_of_all_lines(lines: list[bytes], capacity_bytes: int) -> None:
    tail = Tail(capacity_bytes)
    for line in lines:
        tail.add(line)
    assert tail.value() == b"".join(line + b"\n" for line in lines)[-capacity_bytes:]
    assert tail.value() == tail.value()


def test_the_tail_holds_4_kib() -> None:
    tail = Tail()
    for number in range(10_000):
        tail.add(b"line %d" % number)
    assert len(tail.value()) == 4096
    assert tail.value().endswith(b"line 9998\nline 9999\n")


def test_a_flood_takes_no_memory() -> None:
    tail = Tail()
    tracemalloc.start()
    try:
        for _ in range(300):
            tail.add(bytes(100_000))
            for _ in range(100):
                tail.add(b"")
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 1_000_000
