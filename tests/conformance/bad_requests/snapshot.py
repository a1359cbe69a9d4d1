"""All that a server keeps, at one moment, and what differs between two."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.bad_requests.database import Row, Rows

_CODE_COLUMNS = ("package_sha256", "layer_code")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Rows of the database, and the paths of all stored code, whole or half-made."""

    rows: Rows
    paths: frozenset[str]

    def differences(self, later: "Snapshot") -> list[str]:
        """What a later one has more, less or otherwise; empty when nothing changed.

        Code that nothing refers to may go at any time: it is collected.
        """
        found = []
        for key in self.changed(later):
            before, after = self.rows.get(key), later.rows.get(key)
            found.append(f"{'/'.join(key)} {_change(before, after)}")
        found += [f"{path} is new" for path in sorted(later.paths - self.paths)]
        used = {row.values[column] for row in self.rows.values() for column in _CODE_COLUMNS if row.values.get(column)}
        gone = sorted(self.paths - later.paths)
        return found + [f"{path} is gone" for path in gone if any(name in path for name in used)]

    def changed(self, later: "Snapshot") -> list[tuple[str, ...]]:
        """Keys of the rows that differ."""
        if self.rows is later.rows:
            return []
        return sorted(
            key for key in {*self.rows, *later.rows} if _values(self.rows.get(key)) != _values(later.rows.get(key))
        )


def stored_paths(data: Path) -> Iterator[str]:
    """Every blob, unpacked tree and half-made thing in a server's data directory."""
    for pattern in ("blobs/*/*", "packages/*", "tmp/*"):
        yield from (str(path.relative_to(data)) for path in data.glob(pattern))


def _values(row: Row | None) -> object:
    return None if row is None else row.values


def _change(before: Row | None, after: Row | None) -> str:
    if before is None or after is None:
        return "is new" if before is None else "is gone"
    pairs = ((name, before.values.get(name), value) for name, value in after.values.items())
    return "; ".join(f"had {name} {old!r} and has {new!r}" for name, old, new in pairs if old != new)
