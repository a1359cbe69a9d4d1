"""The runtime catalogue: what AWS names, until when, and which version really runs here. Its data: runtimes.toml."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Protocol

from lampion.clock.clock import Clock
from lampion.code.versions import feature_version
from lampion.domain.errors import InvalidParameterValueException
from lampion.domain.function import Function


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """One value of the model's enum. Dates are AWS's; None where none is published."""

    identifier: str
    language: str
    version: str
    is_runnable: bool
    deprecation: date | None = None
    block_create: date | None = None
    block_update: date | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All runtimes by identifier, and those that AWS lists in its refusal, in its order."""

    runtimes: Mapping[str, Runtime]
    listed_by_aws: tuple[str, ...]


@cache
def catalogue() -> Catalogue:
    """The catalogue of this version of Lampion."""
    data = tomllib.loads(resources.files("lampion.code").joinpath("runtimes.toml").read_text(encoding="utf-8"))
    runtimes = {row["identifier"]: Runtime(**row) for row in data["runtime"]}
    return Catalogue(MappingProxyType(runtimes), tuple(data["listed_by_aws"]))


def check_runtime(identifier: str, today: date, *, is_update: bool = False) -> None:
    """Refuse what AWS doesn't know, or by `today` no longer takes, for a new (or an updated) function.

    Raises InvalidParameterValueException with AWS's texts.
    """
    known = catalogue()
    runtime = known.runtimes.get(identifier)
    if runtime is None:
        raise InvalidParameterValueException(
            f"Value {identifier} at 'runtime' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(known.listed_by_aws)}] or be a valid ARN"
        )
    blocked_from = runtime.block_update if is_update else runtime.block_create
    if blocked_from is not None and today >= blocked_from:
        raise InvalidParameterValueException(
            f"The runtime parameter of {identifier} is no longer supported for creating or updating AWS Lambda "
            "functions. We recommend you use a supported runtime while creating or updating functions."
        )


def runtime_version_arn(runtime: str, architecture: str, interpreter_version: str, *, region: str) -> str:
    """RuntimeVersionArn: the same for the same interpreter version, another as soon as that changes."""
    digest = hashlib.sha256(f"{runtime} {architecture} {interpreter_version}".encode()).hexdigest()
    return f"arn:aws:lambda:{region}::runtime:{digest}"


def runtime_version_label(runtime: str, interpreter_version: str) -> str:
    """INIT_START's `Runtime Version`: AWS's form, with the interpreter's patch level as its number (python:3.12.v7).

    It tells the version that runs, which may be another than the runtime's name says (python:3.13.v0).
    """
    known = catalogue().runtimes[runtime]
    feature = feature_version(interpreter_version, known.version)
    patch = interpreter_version.removeprefix(feature).lstrip(".") or "0"
    return f"{known.language}:{feature}.v{patch}"


class KnownVersions(Protocol):
    """What the discovery of interpreters has found so far."""

    def known_version(self, runtime: str) -> str | None:
        """The exact version that runs as `runtime`, such as 3.12.7; None while none is found."""


class Runtimes:
    """The catalogue for the API: with today's date and this machine's interpreters."""

    def __init__(self, clock: Clock, versions: KnownVersions) -> None:
        self._clock = clock
        self._versions = versions

    def check(self, identifier: str | None, *, is_update: bool = False) -> None:
        """See check_runtime; a function in an image has no runtime."""
        if identifier is None:
            return
        check_runtime(identifier, datetime.fromtimestamp(self._clock.now(), UTC).date(), is_update=is_update)

    def version_arn(self, function: Function) -> str | None:
        """RuntimeVersionConfig's ARN; None for a function without a managed runtime."""
        runtime = catalogue().runtimes.get(function.configuration.runtime or "")
        if runtime is None:
            return None
        return runtime_version_arn(
            runtime.identifier,
            function.configuration.architectures[0],
            self._versions.known_version(runtime.identifier) or runtime.version,
            region=function.key.region,
        )

    def version_label(self, identifier: str) -> str:
        """See runtime_version_label."""
        version = self._versions.known_version(identifier) or catalogue().runtimes[identifier].version
        return runtime_version_label(identifier, version)
