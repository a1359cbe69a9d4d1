"""Starts the Ruby runtime against a scripted Runtime API and tells what came of it."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lampion
from tests.component.python_runtime.fake_runtime_api import Event
from tests.component.python_runtime.runtime_process import Ran, run

RUNTIME = Path(lampion.__file__).parent / "runtimes" / "ruby"
FRAME = 0xA55A0003


def command() -> list[str]:
    ruby = shutil.which("ruby")
    assert ruby is not None, "run: make setup-ruby"
    return [ruby, str(RUNTIME / "bootstrap.rb")]


def run_source(
    source: str | Mapping[str, str],
    directory: Path,
    *events: Event,
    handler: str = "function.handler",
    variables: Mapping[str, str] | None = None,
    **options: Any,
) -> Ran:
    """Run with the text as function.rb, or with the files named."""
    for name, text in ({"function.rb": source} if isinstance(source, str) else source).items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    environ = {"LANG": "C.UTF-8", **(variables or {})}
    return run(command(), handler, events or (Event(),), task=directory, environ=environ, **options)


def handler(body: str) -> str:
    """A function whose handler has that body."""
    return f"def handler(event:, context:)\n{body}\nend\n"


def answer(ran: Ran) -> Any:
    """The last answer's value."""
    assert ran.posts, ran.stderr
    return json.loads(ran.posts[-1].body)


def paths(ran: Ran) -> list[str]:
    """What was posted, without the version and the request's id."""
    return [post.path.removeprefix("/2018-06-01/runtime/").split("/")[-1] for post in ran.posts]
