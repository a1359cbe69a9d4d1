"""Deployment packages of real programs, built as users build them: installed dependencies, zipped beside the code."""

import io
import zipfile
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-programs/packages"
NODEJS = Path(__file__).with_name("nodejs") / "node_modules"
WEB = frozenset(
    {
        "annotated_doc",
        "annotated_types",
        "anyio",
        "fastapi",
        "idna",
        "mangum",
        "opentelemetry",
        "pydantic",
        "pydantic_core",
        "starlette",
        "typing_extensions",
        "typing_inspection",
    }
)
"""What a FastAPI app by Mangum needs."""


def python_package(source: Mapping[str, str], names: Collection[str]) -> bytes:
    """The code, and the installed packages of these names, as `pip install --target` lays them out."""
    return _zipped({name: text.encode() for name, text in source.items()} | dict(_of_python(frozenset(names))))


@cache
def python_layer() -> bytes:
    """All installed packages as a layer."""
    return _zipped({f"python/{name}": content for name, content in _of_python(None).items()})


@cache
def nodejs_package(file: str, source: str) -> bytes:
    """The code and its node_modules."""
    assert NODEJS.is_dir(), "run: make setup-programs"
    return _zipped({file: source.encode(), **_files(NODEJS, "node_modules/")})


@cache
def _of_python(names: frozenset[str] | None) -> Mapping[str, bytes]:
    assert PYTHON.is_dir(), "run: make setup-programs"
    return {
        name: content
        for name, content in _files(PYTHON, "").items()
        if names is None or name.partition("/")[0].removesuffix(".py") in names or _project(name) in names
    }


def _project(name: str) -> str:
    return name.partition("/")[0].partition("-")[0]


def _files(root: Path, prefix: str) -> dict[str, bytes]:
    return {f"{prefix}{path.relative_to(root)}": path.read_bytes() for path in _wanted(root)}


def _wanted(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        if path.is_file() and not {"__pycache__", ".bin"}.intersection(path.parts):
            yield path


def _zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, date_time=(2024, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()
