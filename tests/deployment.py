"""Functions for tests: zipped from source text, deployed with boto3, deleted at the end."""

import io
import itertools
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

ROLE = "arn:aws:iam::123456789012:role/lambda-role"
RUNTIME = f"python3.{sys.version_info.minor}"
"""The runtime whose interpreter is certain to be on this machine: the one that runs the tests."""

Source = str | Mapping[str, str | bytes]
_numbers = itertools.count(1)


def zipped(source: Source) -> bytes:
    """A deployment package: the text as index.py, or the files named."""
    files = {"index.py": source} if isinstance(source, str) else source
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, date_time=(2024, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def unique_name(hint: str = "function") -> str:
    """A function name that no other test uses."""
    return f"{re.sub(r'[^A-Za-z0-9_-]+', '-', hint)[:48]}-{next(_numbers)}"


def arn_of(name: str, qualifier: str = "") -> str:
    """On a test's server; `qualifier` with its colon (`:live`)."""
    return f"arn:aws:lambda:us-east-1:123456789012:function:{name}{qualifier}"


def role_in(account_id: str) -> str:
    """Functions have roles of their own account."""
    return ROLE.replace("123456789012", account_id)


def creation(name: str, source: Source, **configuration: Any) -> dict[str, Any]:
    """CreateFunction's arguments; handler `index.handler` unless `configuration` says otherwise."""
    return {
        "FunctionName": name,
        "Runtime": RUNTIME,
        "Role": ROLE,
        "Handler": "index.handler",
        "Code": {"ZipFile": zipped(source)},
        **configuration,
    }


def wait_active(client: Any, name: str) -> None:
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 400})


def wait_updated(client: Any, name: str) -> None:
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 400})


def configuration(client: Any, name: str, **arguments: Any) -> dict[str, Any]:
    """What GetFunctionConfiguration tells."""
    found: dict[str, Any] = client.get_function_configuration(FunctionName=name, **arguments)
    del found["ResponseMetadata"]
    return found


class Functions:
    """Creates functions and remembers them for deletion."""

    def __init__(self, client: Any, hint: str) -> None:
        self._client = client
        self._hint = hint
        self._names: list[str] = []

    def __call__(self, source: Source, **configuration: Any) -> str:
        """Create, wait until Active; the name."""
        name = configuration.pop("FunctionName", None) or unique_name(self._hint)
        self._names.append(name)
        self._client.create_function(**creation(name, source, **configuration))
        wait_active(self._client, name)
        return name

    def delete_all(self) -> None:
        for name in self._names:
            with suppress(self._client.exceptions.ResourceNotFoundException):
                self._client.delete_function(FunctionName=name)


@contextmanager
def functions(client: Any, hint: str) -> Iterator[Functions]:
    made = Functions(client, hint)
    try:
        yield made
    finally:
        made.delete_all()
