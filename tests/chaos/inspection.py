"""Looks at a restarted server through its API and its data directory."""

import base64
import hashlib
import json
import re
import time
import urllib.error
import urllib.request
from pathlib import Path
from random import Random
from typing import Any

from tests.chaos.checker import Finding, Seen
from tests.chaos.load import Counters, markers

SETTLED_SECONDS = 20.0
_PAUSE_SECONDS = 0.02


def wait_until_settled(client: Any) -> None:
    """Until no function has work outstanding, or it has taken too long."""
    end = time.monotonic() + SETTLED_SECONDS
    names = _names(client)
    while names and time.monotonic() < end:
        names = [name for name in names if not _is_settled(client.get_function_configuration(FunctionName=name))]
        if names:
            time.sleep(_PAUSE_SECONDS)


def all_functions(client: Any) -> list[Seen]:
    """Every function that is listed, each asked for and its code downloaded. Raises when one can't be asked for."""
    return [_seen(client.get_function(FunctionName=name)) for name in _names(client)]


def invoked(client: Any, functions: list[Seen], counters: Counters, rng: Random, count: int) -> list[Finding]:
    """Some of them run, and what runs is the code and the configuration shown."""
    findings = []
    for function in rng.sample(functions, min(count, len(functions))):
        answer = client.invoke(FunctionName=function.name, Payload=b"{}")
        told = json.loads(answer["Payload"].read())
        shown = {"code": counters.code_number(function.code_sha256), "marker": function.markers[0]}
        if "FunctionError" in answer or told != shown:
            findings.append(Finding("half-made", f"{function.name} answers {told}, and is {shown}"))
    return findings


def half_made_files(data: Path) -> list[str]:
    """What a crash left in the data directory that is neither whole nor gone."""
    found = [f"tmp/{path.name}" for path in (data / "tmp").iterdir()]
    for blob in (data / "blobs").glob("*/*"):
        if hashlib.sha256(blob.read_bytes()).hexdigest() != blob.name:
            found.append(f"{blob.relative_to(data)} isn't what its name says")
    return found


def _names(client: Any) -> list[str]:
    pages = client.get_paginator("list_functions").paginate()
    return [function["FunctionName"] for page in pages for function in page["Functions"]]


def _is_settled(configuration: dict[str, Any]) -> bool:
    return configuration["State"] != "Pending" and configuration.get("LastUpdateStatus") != "InProgress"


def _seen(answer: dict[str, Any]) -> Seen:
    shown = answer["Configuration"]
    described = re.fullmatch(r"marker (\d+)", shown["Description"])
    return Seen(
        name=shown["FunctionName"],
        code_sha256=shown["CodeSha256"],
        markers=markers(shown, int(described[1]) if described else -2),
        state=shown["State"],
        last_update_status=shown.get("LastUpdateStatus"),
        downloaded_sha256=_download(answer["Code"]["Location"]),
    )


def _download(location: str) -> str:
    try:
        with urllib.request.urlopen(location, timeout=10) as response:
            return base64.b64encode(hashlib.sha256(response.read()).digest()).decode()
    except (OSError, urllib.error.URLError):
        return ""
