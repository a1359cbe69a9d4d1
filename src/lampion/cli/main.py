"""The entry point: finds the command, and turns every failure into words and an exit code."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final, NoReturn

import click

import lampion
from lampion.cli.failure import ExitCode, Failure

COMMANDS: Final = {
    "serve": "Run the server until Ctrl-C or SIGTERM.",
    "env": "Print the export lines that point AWS clients at a running server.",
    "invoke": "Run a function and print its answer.",
    "logs": "Print a function's log.",
    "metrics": "Print what functions did since the server started.",
    "clock": "Show the clock of a server, or advance it.",
    "queue": "Look into the queues of events, and bring back what failed.",
    "master-key": "Tell where the key of all keys is, and move it.",
    "iam": "Find out what policies allow, and let other programs call as services of AWS.",
    "image": "Bring container images into a server's own registry.",
    "status": "Tell whether a server is well.",
    "runtimes": "List every runtime, and what runs it here.",
    "sdk": "Install the AWS SDKs that functions find without bringing them.",
    "doctor": "Say what this machine offers, and how to mend what it doesn't.",
}
"""Command to its one-line help; each lives in the module of its name as `command`, imported only when needed."""


class LazyCommands(click.Group):
    """Lists commands without importing them: `--help` must be quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"lampion.cli.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.version_option(lampion.__version__, prog_name="lampion", message="%(prog)s %(version)s")
@click.pass_context
def lampion_command(context: click.Context) -> None:
    """AWS Lambda that you own: the same API and runtime contract, on your machine, without Docker.

    Start a server with `lampion serve`; in a second terminal run `eval "$(lampion env)"` and use any AWS client.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main() -> NoReturn:
    """What the `lampion` script calls."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the exit code."""
    try:
        code = lampion_command.main(list(arguments), prog_name="lampion", standalone_mode=False)
    except Failure as failure:
        return _tell(str(failure), failure.exit_code)
    except click.Abort:
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except Exception as error:
        if os.environ.get("LAMPION_DEBUG") == "1":
            raise
        bug = Failure(
            ExitCode.BUG,
            f"unexpected {type(error).__name__}: {error}",
            why="this is a fault of Lampion, not of yours",
            fix="run it again with LAMPION_DEBUG=1 and report what it prints",
        )
        return _tell(str(bug), bug.exit_code)
    return code if isinstance(code, int) else ExitCode.OK


def _tell(text: str, exit_code: ExitCode) -> int:
    click.echo(text, err=True)
    return exit_code
