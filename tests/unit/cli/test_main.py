"""The command as a whole: help without imports, failures without tracebacks, speed of the plain answers."""

import subprocess
import sys
import time
from collections.abc import Callable

import click
import pytest

import lampion as package
from lampion.cli.failure import MEANINGS, ExitCode, Failure
from lampion.cli.main import COMMANDS, lampion_command, run
from lampion.config import options
from tests.unit.cli.conftest import Ran

Lampion = Callable[..., Ran]

HEAVY = (
    "asyncio",
    "uvloop",
    "httptools",
    "msgspec",
    "sqlite3",
    "http.client",
    "lampion.app",
    "lampion.store",
    "cryptography",
)


def test_version(lampion: Lampion) -> None:
    ran = lampion("--version")
    assert (ran.code, ran.out.decode()) == (0, f"lampion {package.__version__}\n")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_lists_every_command(lampion: Lampion, arguments: list[str]) -> None:
    ran = lampion(*arguments)
    assert ran.code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in ran.out.decode()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_listed_line_is_the_first_of_the_command_s_own_help(name: str) -> None:
    command = lampion_command.get_command(click.Context(lampion_command), name)
    assert command is not None
    assert command.help is not None
    assert command.help.splitlines()[0] == COMMANDS[name]


def test_serve_offers_every_setting(lampion: Lampion) -> None:
    shown = lampion("serve", "--help").out.decode()
    for option in options():
        assert option.flag in shown
        assert option.variable in shown.replace("\n", " ")


def test_serve_refuses_a_wrong_setting_before_anything_starts(lampion: Lampion) -> None:
    ran = lampion("serve", "--listen", "nowhere")
    assert (ran.code, ran.out) == (ExitCode.USAGE, b"")
    assert ran.err.splitlines() == [
        "lampion: --listen 'nowhere' is not HOST:PORT",
        "  fix: Write it as 127.0.0.1:9000 or [::1]:9000; port 0 picks a free one.",
    ]


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["serve", "--help"]])
def test_plain_answers_import_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys; from lampion.cli.main import run; code = run(sys.argv[1:]);"
        f"print(*sorted(set({HEAVY!r}) & set(sys.modules)), end='', file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_help_is_quick() -> None:
    """150 ms on a quiet machine; the best of five, with room for a busy one."""
    spans = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "lampion", "--help"], check=True, stdout=subprocess.DEVNULL)
        spans.append(time.perf_counter() - began)
    assert min(spans) < 0.6


def broken(failure: BaseException) -> click.Command:
    @click.command("broken")
    def command() -> None:
        raise failure

    return command


@pytest.fixture
def break_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Makes `lampion doctor` raise."""

    def replace(failure: BaseException) -> None:
        monkeypatch.setattr(
            type(lampion_command),
            "get_command",
            lambda self, context, name: broken(failure),
        )

    return replace


def test_a_failure_is_told_in_three_lines(lampion: Lampion, break_with: Callable[[BaseException], None]) -> None:
    break_with(Failure(ExitCode.THROTTLED, "too much", why="busy", fix="Wait."))
    ran = lampion("doctor")
    assert (ran.code, ran.err) == (4, "lampion: too much\n  why: busy\n  fix: Wait.\n")


def test_a_fault_of_ours_shows_no_traceback(lampion: Lampion, break_with: Callable[[BaseException], None]) -> None:
    break_with(RuntimeError("oops"))
    ran = lampion("doctor")
    assert ran.code == ExitCode.BUG
    assert "unexpected RuntimeError: oops" in ran.err
    assert "LAMPION_DEBUG=1" in ran.err
    assert "Traceback" not in ran.err


def test_with_debug_the_traceback_comes(
    break_with: Callable[[BaseException], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAMPION_DEBUG", "1")
    break_with(RuntimeError("oops"))
    with pytest.raises(RuntimeError, match="oops"):
        run(["doctor"])


def test_ctrl_c_exits_130(lampion: Lampion, break_with: Callable[[BaseException], None]) -> None:
    break_with(KeyboardInterrupt())
    assert lampion("doctor").code == ExitCode.INTERRUPTED


def test_every_exit_code_has_a_meaning() -> None:
    assert set(MEANINGS) == set(ExitCode)
