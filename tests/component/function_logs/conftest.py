"""Every implementation of FunctionLogs, for the contract suite."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lampion.function_logs.journal import FunctionLogs
from lampion.function_logs.memory import MemoryLogs
from tests.component.function_logs.places import open_files


@pytest.fixture(params=["memory", "files"])
async def logs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FunctionLogs]:
    if request.param == "memory":
        yield MemoryLogs()
        return
    async with open_files(tmp_path) as files:
        yield files
