"""A stub server in the environment of the command, and a way to run commands in this process."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from lampion.cli.main import run
from tests.unit.cli.stub_server import Stub, stub_server


@dataclass
class Ran:
    """What a command left: exit code, exact bytes on stdout, text on stderr."""

    code: int
    out: bytes
    err: str


@pytest.fixture(autouse=True)
def _no_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", "LAMPION_", "XDG_")):
            monkeypatch.delenv(name)


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    with stub_server() as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def lampion(capfdbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Ran]:
    """`lampion("invoke", "hello")` as the script would run it."""

    def call(*arguments: str) -> Ran:
        code = run(arguments)
        captured = capfdbinary.readouterr()
        return Ran(code, captured.out, captured.err.decode())

    return call
