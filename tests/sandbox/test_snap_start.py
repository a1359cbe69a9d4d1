"""SnapStart as a function lives it: real Init, a real snapshot, and environments that are copies of it."""

import json
import os
import textwrap
from contextlib import asynccontextmanager
from pathlib import Path

import boto3
import pytest

from lampion.domain.errors import SnapStartException
from lampion.environments.state import Phase
from tests.component.environments.snapshot_stage import snapshot_stage
from tests.component.environments.stage import invocation
from tests.sandbox.boxes import eventually, processes_with

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may copy a process past its filter")


@asynccontextmanager
async def version(namespace, task: Path, code: str, **configuration):
    """A version whose code is `code`, not prepared yet."""
    (task / "app.py").write_text(textwrap.dedent(code))
    async with snapshot_stage(namespace, task, memory_mib=512, timeout_seconds=20, **configuration) as stage:
        yield stage


@asynccontextmanager
async def published(namespace, task: Path, code: str, **configuration):
    """The same with a snapshot."""
    async with version(namespace, task, code, **configuration) as stage:
        assert await stage.snapshots.prepare(stage.function) is None
        assert stage.snapshots.has(stage.function), stage.streams.opened[0].lines
        yield stage


async def test_init_runs_once_and_every_environment_starts_after_it(namespace, task):
    code = """
        import os, time
        token = os.urandom(8).hex()
        count = 0
        def handler(event, context):
            global count
            count += 1
            return [token, count, event]
        """
    async with published(namespace, task, code) as stage:
        async with stage.environment() as one, stage.environment() as other:
            first = [json.loads((await e.invoke(invocation(n))).payload) for n, e in ((1, one), (2, one), (3, other))]
        token = first[0][0]
        assert first == [[token, 1, 1], [token, 2, 2], [token, 1, 3]]


UNIQUE = """
    import os, random, secrets, ssl, tempfile, uuid
    context = ssl.create_default_context()
    at_init = random.random(), ssl.RAND_bytes(8), uuid.uuid4(), secrets.token_hex(8), tempfile.mktemp()
    own = random.Random()
    try:
        import numpy
        numpy.random.random()
    except ImportError:
        numpy = None
    def handler(event, context):
        return {
            "random": random.random(), "choice": [random.randrange(10**9) for _ in range(3)],
            "urandom": os.urandom(8).hex(), "uuid1": str(uuid.uuid1()), "uuid4": str(uuid.uuid4()),
            "secrets": secrets.token_hex(8), "system random": random.SystemRandom().random(),
            "openssl": ssl.RAND_bytes(8).hex(), "temporary name": tempfile.mktemp(),
            "numpy": numpy and numpy.random.random(), "object hash": id(object()) and os.urandom(2).hex() + "x" * 9,
        }
    """


async def test_what_is_to_be_unique_is_unique_in_each_environment(namespace, task):
    async with published(namespace, task, UNIQUE) as stage:
        told = [await stage.answer() for _ in range(3)]
    for name in told[0]:
        values = [json.dumps(answer[name]) for answer in told]
        if values[0] != "null":
            assert len(set(values)) == 3, name


async def test_numpy_is_reseeded_where_it_has_been_loaded(namespace, task):
    """A module of that name stands in for it: numpy isn't among the development dependencies."""
    (task / "numpy").mkdir()
    (task / "numpy" / "__init__.py").write_text("from numpy import random\n")
    (task / "numpy" / "random.py").write_text(
        "import random as r\nstate = r.Random(1)\ndef seed(): state.seed()\ndef random(): return state.random()\n"
    )
    code = "import numpy\nnumpy.random.random()\ndef handler(event, context): return numpy.random.random()\n"
    async with published(namespace, task, code) as stage:
        assert await stage.answer() != await stage.answer()


async def test_hooks_run_before_the_snapshot_in_reverse_order_and_after_restoring_in_order(namespace, task):
    code = """
        import os
        from snapshot_restore_py import register_after_restore, register_before_snapshot
        ran = []
        @register_before_snapshot
        def first(): ran.append(("before", "first", os.getpid()))
        register_before_snapshot(lambda name: ran.append(("before", name, os.getpid())), "second")
        @register_after_restore
        def third(): ran.append(("after", "third", os.getpid()))
        register_after_restore(lambda *, name: ran.append(("after", name, os.getpid())), name="fourth")
        def handler(event, context): return ran, os.getpid()
        """
    async with published(namespace, task, code) as stage:
        ran, pid = await stage.answer()
    assert [(when, name) for when, name, _ in ran] == [
        ("before", "second"),
        ("before", "first"),
        ("after", "third"),
        ("after", "fourth"),
    ]
    assert ran[0][2] != pid == ran[2][2]


async def test_a_failing_hook_before_the_snapshot_fails_the_version(namespace, task):
    code = """
        from snapshot_restore_py import register_before_snapshot
        @register_before_snapshot
        def close(): raise ValueError("not now")
        def handler(event, context): return 1
        """
    async with version(namespace, task, code) as stage:
        failure = await stage.snapshots.prepare(stage.function)
        assert failure is not None
        assert failure.code == "FunctionError.RuntimeInitError"
        assert "not now" in failure.text
        assert not stage.snapshots.has(stage.function)
        log = stage.streams.opened[0].lines
        assert log[-1].endswith("Phase: init\tStatus: error\tError Type: Runtime.BeforeSnapshotError")
        assert any("ValueError: not now" in line for line in log)


async def test_a_failing_hook_after_restoring_is_the_invokers_error_and_ends_the_environment(namespace, task):
    code = """
        from snapshot_restore_py import register_after_restore
        @register_after_restore
        def connect(): raise ValueError("nobody there")
        def handler(event, context): return 1
        """
    async with published(namespace, task, code) as stage:
        environment = stage.snapshots.environment(stage.function)
        with pytest.raises(SnapStartException, match="encountered an error"):
            await environment.start()
        assert environment.phase is Phase.GONE
        log = stage.streams.opened[-1].lines
        assert log[0].startswith("RESTORE_START Runtime Version: python:3.12.v1\tRuntime Version ARN: ")
        assert any("ValueError: nobody there" in line for line in log)
        assert log[-1].startswith("RESTORE_REPORT Restore Duration: ")
        assert log[-1].endswith(" ms\tStatus: error\tError Type: Runtime.AfterRestoreError")


async def test_init_that_fails_is_told_as_the_versions_reason(namespace, task):
    async with version(namespace, task, "raise RuntimeError('no database')") as stage:
        failure = await stage.snapshots.prepare(stage.function)
        assert failure is not None
        assert "no database" in failure.text


async def test_the_log_tells_of_init_at_publishing_and_of_restoring_at_each_start(namespace, task):
    code = "print('in init')\ndef handler(event, context): print('in handler'); return 1\n"
    async with published(namespace, task, code) as stage:
        async with stage.environment() as environment:
            await environment.invoke(invocation())
            await environment.invoke(invocation())
        origin, restored = (stream.lines for stream in stage.streams.opened)
    assert [line.split(" ")[0] for line in origin] == ["INIT_START", "in", "INIT_REPORT"]
    words = ["RESTORE_START", "RESTORE_REPORT", "START", "in", "END", "REPORT", "START", "in", "END", "REPORT"]
    assert [line.split(" ")[0] for line in restored] == words
    first, second = (line for line in restored if line.startswith("REPORT"))
    assert "Restore Duration" in first
    assert "Billed Restore Duration" in first
    assert "Init Duration" not in first
    assert "Restore Duration" not in second


async def test_threads_that_init_left_cost_the_snapshot_and_both_logs_say_so(namespace, task, caplog):
    code = """
        import threading, time
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
        def handler(event, context): return threading.active_count()
        """
    async with version(namespace, task, code) as stage:
        assert await stage.snapshots.prepare(stage.function) is None
        assert not stage.snapshots.has(stage.function)
        why = "Init left threads running, which a snapshot can't hold"
        assert why in stage.streams.opened[0].lines[-1]
        assert why in caplog.text
        async with stage.environment() as environment:
            assert (await environment.invoke(invocation())).payload == b"2"
        assert stage.streams.opened[-1].first_words()[0] == "INIT_START"


async def test_credentials_are_the_environments_own(namespace, task):
    code = """
        import json, os, urllib.request
        def fetch():
            request = urllib.request.Request(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
            request.add_header("Authorization", os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"])
            return json.load(urllib.request.urlopen(request))
        at_init = fetch()
        def handler(event, context):
            absent = ("AWS_ACCESS", "AWS_SECRET", "AWS_SESSION", "AWS_LAMBDA_LOG_")
            names = [name for name in os.environ if name.startswith(absent)]
            return at_init["AccessKeyId"], fetch()["AccessKeyId"], names
        """
    async with published(namespace, task, code) as stage:
        told = [await stage.answer() for _ in range(2)]
    keys = {told[0][0], told[0][1], told[1][1]}
    assert len(keys) == 3
    assert all(key.startswith("ASIA") for key in keys)
    assert told[0][2] == []


async def test_files_open_since_init_have_a_position_of_their_own(namespace, task):
    (task / "data.txt").write_text("".join(f"line {number}\n" for number in range(10)))
    code = """
        file = open("data.txt", "rb", buffering=0)
        file.read(7)
        def handler(event, context): return file.read(7).decode(), file.read(7).decode()
        """
    async with published(namespace, task, code) as stage:
        assert [await stage.answer() for _ in range(2)] == [["line 1\n", "line 2\n"]] * 2


async def test_a_client_with_a_pooled_connection_made_in_init_works_after_restoring(namespace, task):
    """As an SDK's: it notices that its connection is dead, and connects anew, to the network that it has now."""
    code = """
        import http.client, os
        host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
        pooled = http.client.HTTPConnection(host, int(port))
        def status():
            pooled.request("GET", "/2021-04-23/credentials")
            answer = pooled.getresponse()
            answer.read()
            return answer.status
        at_init = status()
        local = pooled.sock.getsockname()
        def handler(event, context):
            assert pooled.sock is not None
            try:
                return status()
            except (http.client.RemoteDisconnected, BrokenPipeError):
                pooled.close()
                return [at_init, status()]
        """
    async with published(namespace, task, code) as stage:
        assert [await stage.answer() for _ in range(2)] == [[404, 404]] * 2


async def test_a_client_of_awss_sdk_made_in_init_works_after_restoring(namespace, task):
    """Against the one server that it reaches: the Runtime API, which doesn't know the operation and says so."""
    code = """
        import boto3, botocore.exceptions, os
        client = boto3.client("lambda", endpoint_url="http://" + os.environ["AWS_LAMBDA_RUNTIME_API"])
        def call():
            try:
                return client.list_functions()
            except botocore.exceptions.ClientError as error:
                metadata = error.response["ResponseMetadata"]
                return metadata["HTTPStatusCode"], metadata["RetryAttempts"]
        at_init = call()
        key = client._request_signer._credentials.access_key[:4]
        def handler(event, context): return [*at_init, key, *call(), *call()]
        """
    async with published(namespace, task, code, layer=Path(boto3.__file__).parent.parent) as stage:
        told = [await stage.answer() for _ in range(2)]
    assert [(first, key) for first, _, key, *_ in told] == [(404, "ASIA")] * 2
    assert [after[::2] for *_, a, b, c, d in told for after in ((a, b, c, d),)] == [(404, 404)] * 2


async def test_awss_sdk_renews_credentials_by_itself_and_keeps_none_of_init(namespace, task):
    """Its keys last for four seconds here: it asks for new ones before, and none of its calls has expired ones."""
    code = """
        import boto3, botocore.exceptions, os, time
        client = boto3.client("lambda", endpoint_url="http://" + os.environ["AWS_LAMBDA_RUNTIME_API"])
        credentials = client._request_signer._credentials
        used = []
        client.meta.events.register("before-sign.lambda", lambda **kwargs: used.append(credentials.access_key))
        def call():
            try:
                client.list_functions()
            except botocore.exceptions.ClientError as error:
                assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 404
            return used[-1]
        at_init = call()
        def handler(event, context):
            keys = [call()]
            time.sleep(2.5)
            return at_init, *keys, call()
        """
    layer = Path(boto3.__file__).parent.parent
    async with published(namespace, task, code, layer=layer, key_seconds=4.0) as stage:
        told = [await stage.answer() for _ in range(2)]
    assert told[0][0] == told[1][0]
    others = [key for _, *keys in told for key in keys]
    assert len({told[0][0], *others}) == 5, told


async def test_a_lost_snapshot_costs_one_init_and_is_taken_anew(namespace, task, caplog):
    mark = f"lampion-test-lost-{os.getpid()}"
    code = "import os\ntoken = os.urandom(4).hex()\ndef handler(event, context): return token\n"
    async with published(namespace, task, code, environment={"MARK": mark}) as stage:
        before = await stage.answer()
        assert await stage.answer() == before
        assert await eventually(lambda: len(processes_with(mark)) == 1)
        (held,) = processes_with(mark)
        os.kill(held, 9)
        assert await eventually(lambda: not stage.snapshots.has(stage.function))
        assert await stage.answer() != before
        assert await eventually(lambda: stage.snapshots.has(stage.function))
        after = await stage.answer()
        assert after != before
        assert await stage.answer() == after
    assert "was lost" in caplog.text
