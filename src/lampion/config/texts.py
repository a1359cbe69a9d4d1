"""Where the text of a setting is taken from, and that it is read."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from lampion.config.file import ConfigFile, read_config_file
from lampion.config.option import Option
from lampion.config.problem import SettingError


def config_file(options: Iterable[Option], given: str | None, environ: Mapping[str, str]) -> ConfigFile:
    """What the file holds that is `given` or that the variable names; nothing without either. Raises SettingError."""
    by_name = {option.name: option for option in options}
    option = by_name.pop("config")
    path = read_option(option, given, environ)
    if path is None:
        return ConfigFile()
    assert isinstance(path, Path)
    try:
        switches = frozenset(name for name, one in by_name.items() if one.is_switch)
        return read_config_file(path, frozenset(by_name), switches)
    except ValueError as error:
        problem, _, fix = str(error).partition("; ")
        raise SettingError(option.flag, str(path), problem, fix) from None


def read_option(
    option: Option, given: str | None, environ: Mapping[str, str], in_file: Mapping[str, str] | None = None
) -> object:
    """Its value: of the command line's text, else the variable's, else the file's, else the default.

    Raises SettingError.
    """
    source, text = option.flag, given
    if text is None and option.variable in environ:
        source, text = option.variable, environ[option.variable]
    if text is None and in_file is not None and option.name in in_file:
        source, text = f"{option.name} in the configuration file", in_file[option.name]
    if text is None:
        text = _default_data(environ) if option.name == "data" else option.default
    try:
        return option.parse(text)
    except ValueError as error:
        problem, _, fix = str(error).partition("; ")
        raise SettingError(source, text, problem, fix) from None


def _default_data(environ: Mapping[str, str]) -> str:
    """The XDG base directory specification: relative values of the variable are ignored."""
    base = environ.get("XDG_DATA_HOME", "")
    return f"{base}/lampion" if base.startswith("/") else "~/.local/share/lampion"
