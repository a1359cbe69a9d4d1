"""The model of a power cut loses what isn't synced, as a whole or in part, and never what is."""

import struct
from pathlib import Path

from tests.chaos.disk.power_cut import Step, cut_power, read_record

DISK = "/disk"
FILE = f"{DISK}/queues.db-wal"
OTHER = f"{DISK}/queues.db"
SEEDS = range(200)


def write(data: bytes, offset: int = 0, path: str = FILE) -> Step:
    return Step("w", path, offset, data)


def sync(path: str = FILE) -> Step:
    return Step("s", path, 0, b"")


def found(*steps: Step, path: str = FILE) -> set[bytes | None]:
    """All that may be found of a file after those steps."""
    return {cut_power(steps, len(steps), seed).files.get(path) for seed in SEEDS}


def test_what_is_synced_is_there_with_its_name() -> None:
    assert found(write(b"a"), sync(), sync(DISK)) == {b"a"}


def test_a_name_whose_directory_was_not_synced_may_be_missing() -> None:
    assert found(write(b"a"), sync()) == {b"a", None}


def test_what_is_not_synced_may_be_there_or_not_sector_by_sector() -> None:
    old, new = b"o" * 1536, b"n" * 1536
    kinds = found(write(old), sync(), sync(DISK), write(new))
    sectors = {tuple(content[at : at + 1] for at in range(0, 1536, 512)) for content in kinds if content is not None}
    assert len(sectors) == 8, "any of three sectors may be old or new"
    assert all(content is not None and set(content) <= set(b"on") for content in kinds)


def test_a_sync_is_for_one_file() -> None:
    steps = [write(b"a"), sync(DISK), write(b"b", path=OTHER), sync(OTHER), sync(DISK)]
    assert b"" in found(*steps)
    assert found(*steps, path=OTHER) == {b"b"}


def test_a_later_write_doesnt_undo_a_sync() -> None:
    assert found(write(b"aa"), sync(), sync(DISK), write(b"b", 1)) == {b"aa", b"ab"}


def test_a_cut_file_may_be_as_long_as_before() -> None:
    cut = Step("c", FILE, 1, b"")
    assert found(write(b"abc"), sync(), sync(DISK), cut) == {b"abc", b"a"}
    assert found(write(b"abc"), sync(), sync(DISK), cut, sync()) == {b"a"}


def test_a_removed_file_may_be_back_until_its_directory_is_synced() -> None:
    removal = Step("r", FILE, 0, b"")
    assert found(write(b"a"), sync(), sync(DISK), removal) == {b"a", None}
    assert found(write(b"a"), sync(), sync(DISK), removal, sync(DISK)) == {None}
    assert found(write(b"a"), sync(), sync(DISK), removal, write(b"b"), sync()) == {b"a", b"b"}


def test_only_what_was_told_before_the_cut_counts() -> None:
    steps = [Step("m", "", 0, b'"first"'), write(b"a"), Step("m", "", 0, b'"second"')]
    assert cut_power(steps, 2, 1).marks == ["first"]
    assert cut_power(steps, 3, 1).marks == ["first", "second"]


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    head = struct.pack("=QQQQ", ord("w"), len(FILE), 7, 2) + FILE.encode() + b"ab"
    mark = struct.pack("=QQQQ", ord("m"), 0, 0, 1) + b"1"
    (tmp_path / "record").write_bytes(head + mark)
    assert read_record(tmp_path / "record") == [write(b"ab", 7), Step("m", "", 0, b"1")]
