"""Makes the interpreter, which was started without `site`, what a handler expects: wrapper, builtins, output."""

import builtins
import os
import sys
from _io import TextIOWrapper

if False:
    from typing import Any, Mapping


def honour_exec_wrapper(environ: "Mapping[str, str]", script: str) -> None:
    """Become the program that AWS_LAMBDA_EXEC_WRAPPER names, if it is set, with this runtime as its arguments.

    The command that it gets is AWS's: interpreter and script. It lacks the -S with which the runtime is started
    otherwise, which tells that the wrapper has had its turn, and tracing tools get the `site` that they hook into.
    """
    wrapper = environ.get("AWS_LAMBDA_EXEC_WRAPPER")
    if not wrapper or not sys.flags.no_site:
        return
    if not os.path.isfile(wrapper):
        _give_up(wrapper + ": does not exist", 127)
    if not os.access(wrapper, os.X_OK):
        _give_up(wrapper + ": is not an executable", 126)
    try:
        os.execv(wrapper, [wrapper, sys.executable, script])
    except OSError as error:
        _give_up(wrapper + ": " + str(error.strerror), 126)


def _give_up(message: str, exit_status: int) -> None:
    print(message, flush=True)
    sys.exit(exit_status)


def complete_builtins() -> None:
    """Add what `site` adds for everybody's use."""
    if not sys.flags.no_site:
        return
    from _sitebuiltins import Quitter, _Helper, _Printer

    additions = {
        "quit": Quitter("quit", "Ctrl-D (i.e. EOF)"),
        "exit": Quitter("exit", "Ctrl-D (i.e. EOF)"),
        "copyright": _Printer("copyright", sys.copyright),
        "help": _Helper(),
    }
    vars(builtins).update(additions)


def unbuffer_output() -> None:
    """Every write to stdout and stderr reaches the platform at once: the next moment may end the process."""
    sys.stdout = _unbuffered(sys.stdout)
    sys.stderr = _unbuffered(sys.stderr)


def _unbuffered(stream: "Any") -> "Any":
    if stream is None:
        return None
    raw = stream.buffer.raw
    return TextIOWrapper(raw, stream.encoding, stream.errors, newline="\n", write_through=True)
