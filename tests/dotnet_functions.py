""".NET functions for tests: compiled against what stands for AWS's packages, as people's builds do it with those."""

import functools
import importlib.machinery
import importlib.util
import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = Path(__file__).parent / "conformance" / "dotnet"
RUNTIMES = ("dotnet6", "dotnet8", "dotnet10")
WITHOUT_ICU = {"System.Globalization.Invariant": True}
CORE = "Amazon.Lambda.Core.dll"


@functools.cache
def builder() -> ModuleType:
    """The script that builds the runtime: it knows the compiler."""
    path = str(ROOT / "scripts" / "build-dotnet-runtime")
    spec = importlib.util.spec_from_loader("build", importlib.machinery.SourceFileLoader("build", path))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def has_dotnet() -> bool:
    return bool(builder().has_compiler())


needs_dotnet = pytest.mark.skipif(
    not has_dotnet(), reason="needs make setup-dotnet, whose .NET is there for x86_64 only"
)


def dotnet_options() -> Sequence[str]:
    """A server's, to which that .NET is the one closest to each version that AWS has."""
    program = builder().SDK / "dotnet"
    return [word for one in RUNTIMES for word in ("--interpreter", f"{one}={program}")] if has_dotnet() else []


@functools.cache
def functions_of_tests() -> Mapping[str, bytes]:
    """A package with all functions in tests/conformance/dotnet."""
    with tempfile.TemporaryDirectory(prefix="lampion-test-") as directory:
        core, function = Path(directory) / CORE, Path(directory) / "dotnet.dll"
        core.write_bytes(interfaces())
        compiled(function, sorted((SOURCES / "functions").glob("*.cs")), f"-r:{core}", "-debug:embedded")
        return package("dotnet", {path.name: path.read_bytes() for path in (function, core)})


@functools.cache
def interfaces(*, is_first_version: bool = False) -> bytes:
    """What stands for AWS's assembly of the name CORE."""
    with tempfile.TemporaryDirectory(prefix="lampion-test-") as directory:
        core = Path(directory) / CORE
        define = ["-define:OLD"] if is_first_version else []
        compiled(core, sorted((SOURCES / "core").glob("*.cs")), "-nowarn:CS0649", *define)
        return core.read_bytes()


def library(source: str, *options: str, name: str = "Alone") -> Mapping[str, bytes]:
    """A package with one assembly that uses nothing but .NET; with -target:exe a program."""
    with tempfile.TemporaryDirectory(prefix="lampion-test-") as directory:
        text, output = Path(directory) / f"{name}.cs", Path(directory) / f"{name}.dll"
        text.write_text(source, encoding="utf-8")
        compiled(output, [text], *options)
        return package(name, {output.name: output.read_bytes()})


def package(name: str, assemblies: Mapping[str, bytes], *, version: str = "3.1.0") -> Mapping[str, bytes]:
    """With what `dotnet publish` writes beside the assembly of that name: its dependencies and which .NET it takes."""
    target = ".NETCoreApp,Version=v3.1"
    names = [file.removesuffix(".dll") for file in assemblies]
    dependencies = {
        "runtimeTarget": {"name": target},
        "targets": {target: {f"{one}/1.0.0": {"runtime": {f"{one}.dll": {}}} for one in names}},
        "libraries": {f"{one}/1.0.0": {"type": "project", "serviceable": False, "sha512": ""} for one in names},
    }
    framework = {"name": "Microsoft.NETCore.App", "version": version}
    options = {"tfm": "netcoreapp3.1", "framework": framework, "configProperties": WITHOUT_ICU}
    return {
        **assemblies,
        f"{name}.deps.json": json.dumps(dependencies).encode(),
        f"{name}.runtimeconfig.json": json.dumps({"runtimeOptions": options}).encode(),
    }


def compiled(output: Path, sources: Sequence[Path], *options: str) -> None:
    try:
        builder().compile_to(output, sources, *options)
    except subprocess.CalledProcessError as error:
        raise AssertionError(error.stdout) from error
