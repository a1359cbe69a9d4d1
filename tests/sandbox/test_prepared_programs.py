"""Sandboxes prepared for programs that are known only later: what runs in them is as in one made for it."""

from dataclasses import replace

import pytest

from lampion.sandbox.driver import Exit, ProgramError
from lampion.sandbox.spec import Mount, SandboxSpec, Template, WorkerStart
from tests.sandbox.boxes import PREFIX, eventually, run, spec_of

BARE = Template(worker=(), start=WorkerStart.NONE, environ=(), mounts=(Mount(PREFIX, "/var/lang"),))
CODE = "import os, sys; print(sys.argv[1:], sorted(os.environ), os.getcwd(), os.getpid())"


def wanted(code: str = CODE, **more: object) -> SandboxSpec:
    return replace(spec_of(code, arguments=("a", "b"), **more), template=BARE)  # type: ignore[arg-type]


async def test_one_that_was_prepared_runs_as_one_that_was_not(namespace, task):
    namespace.expect(BARE)
    assert await eventually(lambda: "4 ready" in repr(namespace._stock))
    ready = namespace._stock._shelves[BARE].ready
    first = ready[0]
    prepared = await run(namespace, wanted(task=task))
    assert first not in ready
    fresh = await run(namespace, replace(wanted(task=task), template=None))
    assert prepared == fresh
    assert prepared[0] == Exit(0)


async def test_a_program_that_cannot_be_executed_is_tried_once_and_leaves_nothing(namespace, caplog):
    for _ in range(2):
        with pytest.raises(ProgramError, match="No such file"):
            await namespace.start(replace(wanted(), argv=("/var/lang/no-such-program",)))
    assert "the slow way" not in caplog.text
    assert (await run(namespace, wanted("print('well')")))[1] == "well\n"


async def test_a_disk_of_another_size_is_made_for_it(namespace, task):
    code = "import os; print(os.statvfs('/tmp').f_blocks * os.statvfs('/tmp').f_frsize > 600 << 20)"
    assert (await run(namespace, wanted(code, task=task, tmp_mib=1024)))[1] == "True\n"
    assert (await run(namespace, wanted(code, task=task)))[1] == "False\n"
