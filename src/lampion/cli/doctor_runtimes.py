"""What `lampion doctor` says of runtimes: functions that have to leave theirs, and what custom ones find missing."""

import shutil
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Final

from lampion.cli.runtime_rows import FoundRuntime
from lampion.code.deprecations import DeprecationNotice, deprecation_notices
from lampion.code.runtimes import catalogue
from lampion.code.sdks import SDKS
from lampion.sandbox.driver import Finding
from lampion.store.data_directory import database_in
from lampion.store.errors import StoreError
from lampion.store.sqlite.onlooker import functions_by_runtime

_NAMES_SHOWN: Final = 5
_SYSTEM_PATH: Final = "/usr/local/bin:/usr/bin:/bin"
_SYSTEM_PROGRAMS: Final = {
    "sh": "dash",
    "cat": "coreutils",
    "cut": "coreutils",
    "grep": "grep",
    "mktemp": "coreutils",
    "sed": "sed",
    "curl": "curl",
}
"""What AWS's operating systems have for functions that are shell scripts, and the package that brings it."""
_CERTIFICATES: Final = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")


def runtime_findings(data: Path, *, today: date) -> Iterator[Finding]:
    """One finding for each runtime that functions in the data directory `data` have to leave."""
    try:
        used = functions_by_runtime(database_in(data))
    except StoreError as error:
        yield Finding("functions", f"their runtimes could not be looked at: {error}", "run this as the server's user")
        return
    for notice in deprecation_notices(used, today):
        yield Finding(f"runtime-{notice.runtime.identifier}", _effect(notice), _mend(notice))


def system_findings() -> Iterator[Finding]:
    """One finding when functions with a program of their own (provided.*) would miss what they find on AWS."""
    packages = {
        name: package for name, package in _SYSTEM_PROGRAMS.items() if not shutil.which(name, path=_SYSTEM_PATH)
    }
    if not any(Path(file).exists() for file in _CERTIFICATES):
        packages["certificates to trust"] = "ca-certificates"
    if packages:
        effect = f"functions of the runtimes provided.* find no {', no '.join(packages)}, which they have on AWS"
        yield Finding("custom-runtimes", effect, f"apt-get install {' '.join(dict.fromkeys(packages.values()))}")


def sdk_findings(found: Mapping[str, FoundRuntime]) -> Iterator[Finding]:
    """One for each language whose runtimes have no AWS SDK, as AWS's have."""
    for language, sdk in SDKS.items():
        lacking = [name for name, one in found.items() if _language(name) == language and one.sdk is None]
        if lacking:
            effect = f"functions of {', '.join(lacking)} have to bring {sdk.title}, which is there on AWS"
            yield Finding(f"sdk-{language}", effect, f"lampion sdk install {language}")


def _language(runtime: str) -> str:
    return catalogue().runtimes[runtime].language


def _effect(notice: DeprecationNotice) -> str:
    names = notice.functions[:_NAMES_SHOWN]
    more = len(notice.functions) - len(names)
    functions = ", ".join(names) + (f" and {more} more" if more else "")
    when = f"is deprecated since {notice.deprecation}"
    if notice.within_days:
        when = f"will be deprecated within {notice.within_days} days, on {notice.deprecation}"
    runtime = notice.runtime
    return (
        f"{runtime.identifier} {when}; new functions are refused from {runtime.block_create}, "
        f"updates from {runtime.block_update}; used by {functions}"
    )


def _mend(notice: DeprecationNotice) -> str:
    if notice.successor is None:
        return "move these functions to another runtime"
    first = notice.functions[0]
    return f"aws lambda update-function-configuration --function-name {first} --runtime {notice.successor}"
