"""Where AWS's server differs from the published model: `overrides.toml`, one entry a difference, with its proof."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

_CHANGEABLE: Final = frozenset({"min", "max", "pattern", "enum", "null_named", "bare_constraint", "named_last"})


@dataclass(frozen=True, slots=True)
class Override:
    """Traits of the shape named `of` that AWS's server has otherwise; `recording` names the case that shows it."""

    of: str
    recording: str
    changes: Mapping[str, Any]


@cache
def load_overrides() -> Mapping[str, tuple[Override, ...]]:
    """All overrides, by service name."""
    text = Path(__file__).with_name("overrides.toml").read_text(encoding="utf-8")
    return {service: tuple(map(_override, rows)) for service, rows in tomllib.loads(text).items()}


def _override(row: dict[str, Any]) -> Override:
    of, recording = row.pop("of"), row.pop("recording")
    changes = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    if not changes or not changes.keys() <= _CHANGEABLE:
        raise ValueError(f"overrides.toml: {of} must change some of {sorted(_CHANGEABLE)} and nothing else")
    return Override(of, recording, changes)
