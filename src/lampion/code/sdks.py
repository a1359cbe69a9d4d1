"""The AWS SDKs that AWS's managed runtimes bring along: where this server keeps them, and how they are installed.

<root>/<runtime> holds what functions will find in /var/runtime beside the runtime's own files. Whoever runs the server
fills it (`lampion sdk`); a server only reads it, and downloads nothing.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from lampion.code.runtimes import Runtime

_CLIENTS: Final = (
    "cloudwatch",
    "cloudwatch-logs",
    "cognito-identity-provider",
    "dynamodb",
    "ec2",
    "ecs",
    "eventbridge",
    "firehose",
    "iam",
    "kinesis",
    "kms",
    "lambda",
    "rds",
    "s3",
    "scheduler",
    "secrets-manager",
    "sesv2",
    "sfn",
    "sns",
    "sqs",
    "ssm",
    "sts",
)
_OTHERS: Final = ("credential-providers", "lib-dynamodb", "lib-storage", "s3-request-presigner", "util-dynamodb")
_UNUSED: Final = frozenset({"dist-es", "dist-types", "dist-browser", "dist-native", ".bin"})
"""Of the JavaScript SDK: what only bundlers, browsers and type checkers read. Node.js takes dist-cjs."""

_LAST_FOR_NODEJS_18: Final = "<3.968.0"
"""As the packages' `engines` say; npm goes by the Node.js that runs itself."""


@dataclass(frozen=True, slots=True)
class Sdk:
    """The SDK of one language. `version` reads it in a directory, None where it isn't; `packages` are what is installed
    for a runtime; `is_kept` says of a path in what was installed whether functions need it.
    """

    title: str
    version: Callable[[Path], str | None]
    packages: Callable[[Runtime], tuple[str, ...]]
    is_kept: Callable[[Path], bool]


@dataclass(frozen=True, slots=True)
class InstalledSdk:
    """What functions of a runtime find."""

    runtime: str
    title: str
    version: str
    directory: Path

    def __str__(self) -> str:
        return f"{self.title} {self.version}"


def installed_sdk(root: Path, runtime: Runtime) -> InstalledSdk | None:
    """The SDK kept below `root` for `runtime`; None where there is none, or something else. Blocking."""
    sdk = SDKS.get(runtime.language)
    directory = root / runtime.identifier
    version = None if sdk is None else sdk.version(directory)
    if sdk is None or version is None:
        return None
    return InstalledSdk(runtime.identifier, sdk.title, version, directory)


def pip_arguments(target: Path, packages: Sequence[str], version: str | None = None) -> tuple[str, ...]:
    """After `python -m pip`; `version` where it isn't the runtime's own Python that runs it."""
    options = ("--quiet", "--disable-pip-version-check", "--no-input", "--no-compile", "--only-binary=:all:")
    other = () if version is None else ("--implementation=cp", f"--python-version={version}")
    return ("install", *options, *other, "--target", str(target), *packages)


def uv_arguments(target: Path, packages: Sequence[str], version: str) -> tuple[str, ...]:
    """After `uv`."""
    options = ("--quiet", "--no-progress", "--only-binary=:all:", f"--python-version={version}")
    return ("pip", "install", *options, "--target", str(target), *packages)


def npm_arguments(target: Path, packages: Sequence[str]) -> tuple[str, ...]:
    """After `npm`. No script of any package runs."""
    quiet = ("--loglevel=error", "--no-audit", "--no-fund", "--no-update-notifier", "--no-package-lock")
    return ("install", *quiet, "--ignore-scripts", "--omit=dev", "--prefix", str(target), *packages)


def _python_packages(runtime: Runtime) -> tuple[str, ...]:
    """As botocore itself demands for these; but pip may look at the Python that runs it, not at the runtime's."""
    is_old = int(runtime.version.partition(".")[2]) < 10  # Python 3.10
    return ("boto3", "urllib3<1.27") if is_old else ("boto3",)


def _boto3_version(directory: Path) -> str | None:
    if not (directory / "boto3/__init__.py").is_file() or not (directory / "botocore/__init__.py").is_file():
        return None
    found = re.search(r'^__version__ = [\'"]([\w.+-]+)', _text(directory / "boto3/__init__.py"), re.MULTILINE)
    return "of an unknown version" if found is None else found[1]


def _js_version(directory: Path) -> str | None:
    """Of version 3, the newest client's; else that of version 2."""
    modules = directory / "node_modules"
    versions = [_package_version(file) for file in sorted(modules.glob("@aws-sdk/client-*/package.json"))]
    found = [version for version in versions if version is not None]
    if found:
        return max(found, key=lambda version: [int(number) for number in re.findall(r"\d+", version)])
    return _package_version(modules / "aws-sdk/package.json")


def _package_version(file: Path) -> str | None:
    try:
        version = json.loads(_text(file))["version"]
    except (ValueError, KeyError, TypeError):
        return None
    return version if isinstance(version, str) else None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _js_packages(runtime: Runtime) -> tuple[str, ...]:
    """As AWS: version 2 up to Node.js 16, then version 3. AWS brings every client; here the usual ones."""
    if int(runtime.version) < 18:  # Node.js 18
        return ("aws-sdk@2",)
    suffix = f"@{_LAST_FOR_NODEJS_18}" if runtime.version == "18" else ""
    names = (*(f"client-{name}" for name in _CLIENTS), *_OTHERS)
    return tuple(f"@aws-sdk/{name}{suffix}" for name in names)


def _is_kept_of_python(path: Path) -> bool:
    return path.parts[0] not in ("bin", ".lock") and "__pycache__" not in path.parts


def _is_kept_of_js(path: Path) -> bool:
    """`path` is relative; whatever isn't in node_modules is npm's own."""
    is_module = path.parts[0] == "node_modules" and path.parts[1:2] != (".package-lock.json",)
    return is_module and not _UNUSED.intersection(path.parts) and not path.name.endswith((".d.ts", ".map"))


SDKS: Final[Mapping[str, Sdk]] = MappingProxyType(
    {
        "python": Sdk("boto3", _boto3_version, _python_packages, _is_kept_of_python),
        "nodejs": Sdk("AWS SDK for JavaScript", _js_version, _js_packages, _is_kept_of_js),
    }
)
"""By the name that the runtime catalogue gives a language."""
