"""Where .NET is, and what it says of itself. One program runs assemblies of every version that lies beside it."""

import re
from pathlib import Path
from typing import Final

from lampion.code.languages.language import Answer, Language
from lampion.code.versions import by_closeness

_RUNTIME: Final = re.compile(r"Microsoft\.NETCore\.App (\S+) \[(.+)/shared/Microsoft\.NETCore\.App\]")
_ROOT: Final = "/var/lang/bin"
"""Where AWS's runtimes have it."""


def _read(answer: bytes, version: str) -> Answer | None:
    """`dotnet --list-runtimes`: a line for each, with its directory; the wanted version's, else the closest one's."""
    found = dict(_RUNTIME.findall(answer.decode()))
    fit = by_closeness(version, found)
    return Answer(fit[0], Path(found[fit[0]]), "dotnet", inside=_ROOT) if fit else None


DOTNET: Final = Language(
    title=".NET",
    names=("dotnet",),
    kept=(
        (".dotnet", "dotnet"),
        ("/usr/share/dotnet", "dotnet"),
        ("/usr/lib/dotnet", "dotnet"),
        ("/usr/lib64/dotnet", "dotnet"),
        ("/usr/local/share/dotnet", "dotnet"),
        ("/opt/dotnet", "dotnet"),
        (".asdf/installs/dotnet", "{}.*/dotnet"),
        (".asdf/installs/dotnet-core", "{}.*/dotnet"),
        (".local/share/mise/dotnet-root", "dotnet"),
    ),
    question=("--list-runtimes",),
    read=_read,
    install="`apt-get install aspnetcore-runtime-{}.0` or `dotnet-install.sh --runtime aspnetcore --channel {}.0`",
    least="3.1",
)
