"""Writes down what a programme found, with command, date and commit."""

import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path


def page(file: Path, title: str, command: str, outcomes: Iterable[str]) -> None:
    """One list for each outcome, an item for each of its lines."""
    commit = _git("rev-parse", "--short", "HEAD") + (
        " with changes" if _git("status", "--porcelain", "--", ".", ":!docs/results") else ""
    )
    head = f"# {title}\n\n- command: `{command}`\n- date: {datetime.now(UTC):%Y-%m-%d}\n- commit: {commit}\n"
    lists = ["".join(f"- {line}\n" for line in outcome.splitlines()) for outcome in outcomes]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(head + "\n".join(["", *lists]) if len(lists) > 1 else head + "".join(lists), encoding="utf-8")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else "unknown"
