"""`lampion serve`: settings from the command line and the environment, then the server."""

from collections.abc import Callable
from typing import Any

import click

from lampion.cli.failure import ExitCode, Failure
from lampion.config import Settings, options, settings_from
from lampion.config.master_key import NEW_VARIABLE as NEW_MASTER_KEY_VARIABLE
from lampion.config.master_key import VARIABLE as MASTER_KEY_VARIABLE
from lampion.config.problem import SettingError
from lampion.config.services import SECRET_VARIABLES


def _with_every_setting(command: Callable[..., Any]) -> Callable[..., Any]:
    """One option per setting; texts are read by `config`, so that variables and options are treated alike."""
    for option in reversed(options()):
        default = f"[{option.variable}; default: {option.default}]" if option.default else f"[{option.variable}]"
        kind: dict[str, Any] = {"flag_value": "yes"} if option.is_switch else {"metavar": option.metavar}
        command = click.option(
            option.flag,
            option.name,
            **kind,
            multiple=option.repeatable,
            help=f"{option.help} {default}",
        )(command)
    return command


@click.command("serve")
@_with_every_setting
def command(**given: Any) -> None:
    """Run the server until Ctrl-C or SIGTERM.

    The first start makes the data directory and a root access key in it. One line on stdout tells when it is ready.
    """
    try:
        settings = settings_from({name: _text(value) for name, value in given.items()})
    except SettingError as error:
        raise Failure(ExitCode.USAGE, f"{error.source} {error.value!r} {error.problem}", fix=error.fix) from None

    _run(settings)


def _run(settings: Settings) -> None:
    from lampion.app import run
    from lampion.app.own_memory import forget_variable
    from lampion.http.tls import TlsError
    from lampion.sandbox.driver import SandboxError
    from lampion.store.errors import StoreError

    # neither what this server starts gets them, nor who looks
    for variable in (MASTER_KEY_VARIABLE, NEW_MASTER_KEY_VARIABLE, *SECRET_VARIABLES):
        forget_variable(variable)
    try:
        run(settings)
    except StoreError as error:
        raise Failure(ExitCode.USAGE, f"the data directory {settings.data} can't be used", why=str(error)) from error
    except TlsError as error:
        fix = "Give a certificate and its key, both in PEM form, with --tls-certificate and --tls-key."
        raise Failure(ExitCode.USAGE, "can't serve HTTPS", why=str(error), fix=fix) from error
    except SandboxError as error:
        raise Failure(ExitCode.USAGE, "no sandbox can be made", why=str(error), fix="Run: lampion doctor") from error
    except OSError as error:
        raise Failure(
            ExitCode.USAGE,
            f"can't listen on {settings.listen}, or a file can't be used",
            why=str(error),
            fix="Give another address with --listen; port 0 picks a free one.",
        ) from error


def _text(value: object) -> str | None:
    """A repeatable option arrives as a tuple; none given is the same as absent."""
    if isinstance(value, tuple):
        return ",".join(value) or None
    return value if isinstance(value, str) else None
