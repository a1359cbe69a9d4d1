"""What this machine has for each runtime, as rows for people and for programs."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final

from lampion.clock.clock import SystemClock
from lampion.code.interpreter_places import search_places
from lampion.code.interpreters import Interpreter, Interpreters, RuntimeBase, install_command
from lampion.code.runtimes import Runtime, catalogue
from lampion.code.sdks import installed_sdk
from lampion.config import Settings
from lampion.sandbox.tool_runner import SubprocessToolRunner, ToolOutput
from lampion.store.data_directory import sdks_in

_LANGUAGES: Final = ("python", "nodejs", "java", "ruby", "dotnet", "provided", "go", "custom")


class Service(StrEnum):
    """How a runtime is served here."""

    OWN_VERSION = "own-version"
    CLOSE_VERSION = "close-version"
    NO_INTERPRETER_NEEDED = "no-interpreter-needed"
    NOT_FOUND = "not-found"
    NOT_BUILT = "not-built"


@dataclass(frozen=True, slots=True)
class FoundRuntime:
    """What serves a runtime: an interpreter with its path, or a system with its name.

    `sdk` is what functions find of AWS's SDK without bringing it.
    """

    version: str
    executable: str
    is_close: bool = False
    sdk: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeRow:
    """One runtime of the catalogue. `install` is what a person may do to have an interpreter for it; `setting` is the
    interpreter that a setting names in vain.
    """

    identifier: str
    language: str
    service: Service
    found: FoundRuntime | None
    install: str
    setting: str | None
    is_deprecated: bool
    deprecation: date | None
    block_create: date | None
    block_update: date | None


async def discovered(settings: Settings) -> Mapping[str, RuntimeBase]:
    """What a server with these settings would find; starts every interpreter once."""
    places, tool = search_places(settings.interpreter, os.environ), ToolOutput(SubprocessToolRunner(SystemClock()))
    return await Interpreters(places, tool, takes_close=settings.close_runtimes).discover()


def sdk_of(settings: Settings, runtime: str) -> str | None:
    """What functions of it find of AWS's SDK."""
    installed = installed_sdk(sdks_in(settings.data), catalogue().runtimes[runtime])
    return None if installed is None else str(installed)


def found_runtime(base: RuntimeBase, sdk: str | None = None) -> FoundRuntime:
    if isinstance(base, Interpreter):
        return FoundRuntime(base.version, str(base.executable), base.is_close, sdk)
    return FoundRuntime(base.version, base.name)


def runtime_rows(
    bases: Mapping[str, RuntimeBase],
    today: date,
    sdks: Mapping[str, str | None] = MappingProxyType({}),
    explicit: Mapping[str, Path] = MappingProxyType({}),
) -> Sequence[RuntimeRow]:
    """Every runtime that AWS ever had, by language, the newest first. `explicit` is --interpreter."""
    newest_first = reversed(list(catalogue().runtimes.values()))
    rows = [
        _row(runtime, bases.get(runtime.identifier), sdks.get(runtime.identifier), today) for runtime in newest_first
    ]
    vain = {name: str(path) for name, path in explicit.items() if name not in bases}
    rows = [replace(row, setting=vain.get(row.identifier)) for row in rows]
    return sorted(rows, key=lambda row: _LANGUAGES.index(row.language))


def _row(runtime: Runtime, base: RuntimeBase | None, sdk: str | None, today: date) -> RuntimeRow:
    return RuntimeRow(
        identifier=runtime.identifier,
        language=runtime.language,
        service=_service(runtime, base),
        found=None if base is None else found_runtime(base, sdk),
        install=install_command(runtime) if runtime.is_runnable else "",
        setting=None,
        is_deprecated=runtime.deprecation is not None and runtime.deprecation <= today,
        deprecation=runtime.deprecation,
        block_create=runtime.block_create,
        block_update=runtime.block_update,
    )


def _service(runtime: Runtime, base: RuntimeBase | None) -> Service:
    if base is None:
        return Service.NOT_FOUND if runtime.is_runnable else Service.NOT_BUILT
    if not isinstance(base, Interpreter):
        return Service.NO_INTERPRETER_NEEDED
    return Service.CLOSE_VERSION if base.is_close else Service.OWN_VERSION


def as_json(rows: Sequence[RuntimeRow]) -> str:
    return json.dumps([asdict(row) for row in rows], indent=2, default=str)


def as_text(rows: Sequence[RuntimeRow]) -> str:
    return "\n".join(f"{row.identifier:16}{'  '.join(_words(row))}" for row in rows)


def _words(row: RuntimeRow) -> Iterator[str]:
    found = row.found
    if row.service is Service.NOT_BUILT:
        yield "not run by Lampion"
    elif row.setting is not None:
        yield f"not found: {row.setting} doesn't run, or is another version; correct the setting --interpreter"
    elif found is None:
        yield f"not found; install one with {row.install}"
    elif row.service is Service.NO_INTERPRETER_NEEDED:
        yield f"the function's own program, on {found.executable}"
    else:
        yield f"{found.version:10}"
        yield f"{found.executable}{' (close)' if found.is_close else ''}"
        if found.sdk is not None:
            yield f"with {found.sdk}"
    if row.is_deprecated:
        yield f"[deprecated {row.deprecation}; new until {row.block_create}, updates until {row.block_update}]"
