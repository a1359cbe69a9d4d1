"""Ruby's environment as AWS's bootstrap makes it, and which variables Ruby reads only when it starts. Pure."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from lampion.environments.environ import OVERRIDABLE, RUNTIME_DIRECTORY

_LIBRARIES: Final = f"{RUNTIME_DIRECTORY}/gems/aws_lambda_ric-3.1.3/lib:/var/task:{RUNTIME_DIRECTORY}/lib:/opt/ruby/lib"
_AHEAD: Final = MappingProxyType({"PATH": "/var/lang/bin", "LD_LIBRARY_PATH": "/var/lang/lib"})
_LOCALE_ON_AWS: Final = "en_US.UTF-8"
_LOCALE: Final = "C.utf8"
_READ_AT_START: Final = re.compile(
    "RUBY(?!LIB$).*|LD_.*|LANG|LANGUAGE|LC_.*|MALLOC_.*|GLIBC_TUNABLES|OPENSSL_.*|AWS_LAMBDA_EXEC_WRAPPER"
)


def ruby_variables(version: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a function of the runtime `version`, such as 3.4; its own `environ` comes first.

    Ruby takes the encoding of all strings from the locale. The one that functions have on AWS is on few machines; the
    one named here in its stead is part of the C library, and the runtime hides it from the function.
    """
    gems = f"ruby/{version}.0"
    paths = f"/var/task/vendor/bundle/{gems}:/opt/ruby/gems/{version}.0:{RUNTIME_DIRECTORY}:{RUNTIME_DIRECTORY}/{gems}"
    complete = {"GEM_HOME": RUNTIME_DIRECTORY, "GEM_PATH": paths, "RUBYLIB": _LIBRARIES, **environ}
    for name, directory in _AHEAD.items():
        complete[name] = f"{directory}:{complete[name]}"
    if complete["LANG"] == _LOCALE_ON_AWS and not complete.keys() & {"LC_ALL", "LC_CTYPE"}:
        complete["LC_CTYPE"] = _LOCALE
    return complete


WAITING_RUBY: Final[Mapping[str, str]] = MappingProxyType(
    {
        **OVERRIDABLE,
        **{name: f"{directory}:{OVERRIDABLE[name]}" for name, directory in _AHEAD.items()},
        "LC_CTYPE": _LOCALE,
        "GEM_HOME": RUNTIME_DIRECTORY,
        "GEM_PATH": RUNTIME_DIRECTORY,
        "LD_PRELOAD": "/var/lampion/lampion-zygote.so",
        "LAMPION_ZYGOTE_REQUESTS": "3",
    }
)
"""A zygote's: what makes the copies (sandbox/launcher/zygote/ruby_fork.c) is loaded ahead of the C library."""


def can_use_ruby_zygote(environ: Mapping[str, str]) -> bool:
    """Whether a copy of a process that was started with WAITING_RUBY can still become one with `environ`."""
    names = {name for name in environ.keys() | WAITING_RUBY.keys() if _READ_AT_START.fullmatch(name)} - {"LD_PRELOAD"}
    return "LD_PRELOAD" not in environ and all(environ.get(name) == WAITING_RUBY.get(name) for name in names)
