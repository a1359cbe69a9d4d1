"""Deployment packages with AWS's SDK in them, as a customer would build one."""

from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_PACKAGES = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
_SERVICES = ("dynamodb", "events", "kms", "lambda", "sns", "sqs", "sts")
JS_MODULES = Path(__file__).with_name("js") / "node_modules"


@cache
def boto3_files() -> dict[str, bytes]:
    """boto3 and what it imports, without the descriptions of services that tests don't call."""
    files: dict[str, bytes] = {}
    for name in _PACKAGES:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        found = Path(spec.origin)
        root = found.parent if found.name == "__init__.py" else found
        files |= {str(path.relative_to(root.parent)): path.read_bytes() for path in _wanted(root)}
    return files


@cache
def js_sdk_files() -> dict[str, bytes]:
    """The Lambda client of the AWS SDK for JavaScript, as CommonJS modules, with what it requires."""
    unwanted = {"dist-es", "dist-types", "dist-browser", "dist-native", ".bin"}
    return {
        f"node_modules/{path.relative_to(JS_MODULES)}": path.read_bytes()
        for path in JS_MODULES.rglob("*")
        if path.suffix in (".js", ".cjs", ".json") and path.is_file() and not unwanted.intersection(path.parts)
    }


def _wanted(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
    for path in root.rglob("*"):
        parts = path.relative_to(root).parts
        is_other_service = parts[0] == "data" and len(parts) > 2 and parts[1] not in _SERVICES
        if path.is_file() and "__pycache__" not in parts and not is_other_service:
            yield path
