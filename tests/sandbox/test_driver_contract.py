"""What every driver promises, whatever it is made of."""

import asyncio
import os
import signal
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from lampion.sandbox.driver import Exit, ProgramError, SandboxError
from lampion.sandbox.spec import Mount, Network, NetworkMode
from tests.sandbox.boxes import (
    INTERPRETER,
    close,
    eventually,
    output_of,
    output_pipe,
    patiently,
    processes_with,
    read,
    run,
    spec_of,
    started,
    writers_to,
)


async def test_output_of_both_streams_comes_in_the_order_of_writing(driver):
    code = "import os\nfor i in range(300): os.write(1 + i % 2, b'%d\\n' % i)"
    assert (await output_of(driver, code)).split() == [str(i) for i in range(300)]


async def test_large_output_arrives_whole(driver):
    assert len(await output_of(driver, "import os\nfor i in range(64): os.write(1, b'x' * 65536)")) == 64 * 65536


@pytest.mark.parametrize("code", [0, 1, 3, 255])
async def test_exit_codes_are_told(driver, code):
    ending, _ = await run(driver, spec_of(f"import os; os._exit({code})"))
    assert ending == Exit(code)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGABRT])
async def test_death_by_a_signal_is_told_and_is_no_lack_of_memory(driver, number):
    ending, _ = await run(driver, spec_of(f"import os; os.kill(os.getpid(), {int(number)})"))
    assert ending == Exit(None, number, out_of_memory=False)


async def test_wait_may_be_awaited_repeatedly_and_by_many(driver):
    async with started(driver, spec_of("import os; os._exit(7)")) as sandbox:
        assert await asyncio.gather(*(sandbox.wait() for _ in range(5))) == [Exit(7)] * 5
        assert await sandbox.wait() == Exit(7)


async def test_a_cancelled_wait_does_no_harm(driver):
    async with started(driver, spec_of("import time; time.sleep(60)")) as sandbox:
        waiting = asyncio.create_task(sandbox.wait())
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await sandbox.stop(0) == Exit(None, signal.SIGKILL)


async def test_the_environment_is_what_was_asked_for_and_the_drivers_own_variables(driver, task):
    code = "import os; print([f'{name}={value}' for name, value in os.environ.items() if name != 'LC_CTYPE'])"
    wanted = {"PATH": "/usr/bin", "EMPTY": "", "LANG": "en_US.UTF-8", "WORDS": "a = b\nc"}
    seen = dict(pair.split("=", 1) for pair in eval(await output_of(driver, code, environ=wanted, task=task)))
    names = ("AWS_LAMBDA_RUNTIME_API", "AWS_ENDPOINT_URL", "_LAMBDA_TELEMETRY_LOG_FD")
    own = {name: seen.pop(name) for name in names}
    assert own["_LAMBDA_TELEMETRY_LOG_FD"] == "3"
    assert own["AWS_LAMBDA_RUNTIME_API"].startswith("127.0.0.1:")
    assert own["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    seen.pop("TMPDIR", None)  # of the process driver
    seen.pop("PWD", None)  # of the copying driver
    assert seen == wanted


async def test_a_program_may_not_be_told_of_telemetry(driver):
    spec = replace(spec_of("import os; print('_LAMBDA_TELEMETRY_LOG_FD' in os.environ)"), tells_telemetry=False)
    assert (await run(driver, spec))[1] == "False\n"


async def test_arguments_pass_unchanged(driver):
    words = ("", "a b", "-x", "ä\n", "$HOME")
    seen = await output_of(driver, "import sys; print(ascii(sys.argv[1:]))", arguments=words)
    assert eval(seen) == list(words)


async def test_standard_input_is_empty(driver):
    assert await output_of(driver, "import sys; print(repr(sys.stdin.read()))") == "''\n"


async def test_no_descriptor_is_inherited(driver):
    with Path(__file__).open() as secret:
        os.set_inheritable(secret.fileno(), True)
        listing = await output_of(driver, "import os; print(sorted(map(int, os.listdir('/proc/self/fd')))[:-1])")
    assert eval(listing) == [0, 1, 2, 3]


async def test_telemetry_has_its_own_pipe(driver):
    async with started(driver, spec_of("import os; os.write(3, b'frame'); os.write(1, b'text')")) as sandbox:
        assert await read(sandbox.telemetry) == b"frame"
        assert await read(sandbox.output) == b"text"


async def test_dev_stderr_can_be_opened_as_a_file(driver):
    assert await output_of(driver, "open('/dev/stderr', 'w').write('x'); open('/dev/stdout', 'w').write('y')") == "xy"


async def test_the_runtime_api_socket_is_reached_from_inside(driver):
    code = """if True:
        import os, socket
        host, port = os.environ['AWS_LAMBDA_RUNTIME_API'].split(':')
        peer = socket.create_connection((host, int(port)), timeout=20)
        peer.sendall(b'hello'); print(peer.recv(100).decode())"""
    async with started(driver, spec_of(code)) as sandbox:
        loop = asyncio.get_running_loop()
        assert not sandbox.runtime_api.getblocking()
        async with asyncio.timeout(patiently(20)):
            peer, _ = await loop.sock_accept(sandbox.runtime_api)
            with peer:
                assert await loop.sock_recv(peer, 100) == b"hello"
                await loop.sock_sendall(peer, b"answer")
        assert await read(sandbox.output) == b"answer\n"


async def test_traces_are_sent_without_an_error_where_the_network_is_the_sandboxes_own(driver):
    if not driver.capabilities().private_network:
        pytest.skip("this driver gives sandboxes no network of their own")
    code = "import socket; print(socket.socket(type=socket.SOCK_DGRAM).sendto(b'segment', ('169.254.100.1', 2000)))"
    assert await output_of(driver, code) == "7\n"


async def test_the_gateways_socket_is_reached_from_inside_at_the_endpoint_for_aws_clients(driver):
    code = """if True:
        import os, socket
        host, port = os.environ['AWS_ENDPOINT_URL'].removeprefix('http://').split(':')
        print(socket.create_connection((host, int(port)), timeout=20).recv(100).decode())"""
    async with started(driver, spec_of(code)) as sandbox:
        assert sandbox.gateway is not None
        assert not sandbox.gateway.getblocking()
        async with asyncio.timeout(20):
            peer, _ = await asyncio.get_running_loop().sock_accept(sandbox.gateway)
            with peer:
                await asyncio.get_running_loop().sock_sendall(peer, b"gateway")
        assert await read(sandbox.output) == b"gateway\n"


async def test_a_function_may_name_an_endpoint_of_its_own(driver):
    environ = {"AWS_ENDPOINT_URL": "http://192.0.2.1"}
    assert await output_of(driver, "import os; print(os.environ['AWS_ENDPOINT_URL'])", environ=environ) == (
        "http://192.0.2.1\n"
    )


async def test_without_a_network_there_is_no_gateway(driver):
    code = "import os; print(os.environ.get('AWS_ENDPOINT_URL'))"
    async with started(driver, spec_of(code, network=Network(NetworkMode.NONE))) as sandbox:
        assert sandbox.gateway is None
        assert await read(sandbox.output) == b"None\n"


async def test_the_mounted_directory_is_the_working_directory(driver, task):
    (task / "handler.txt").write_text("here")
    assert await output_of(driver, "print(open('handler.txt').read())", task=task) == "here\n"


async def test_a_sandbox_can_use_a_temporary_directory(driver):
    code = "import tempfile; f = tempfile.TemporaryFile(); f.write(b'x' * 9); print(f.tell(), tempfile.gettempdir())"
    size, directory = (await output_of(driver, code)).split()
    assert size == "9"
    assert directory == "/tmp" or not Path(directory).exists()


async def test_stop_gives_grace_to_who_ends_by_itself(driver):
    code = """if True:
        import os, signal, time
        signal.signal(signal.SIGTERM, lambda *_: (os.write(1, b'bye'), os._exit(5)))
        os.write(1, b'ready'); time.sleep(60)"""
    async with started(driver, spec_of(code)) as sandbox:
        await read(sandbox.output, until=b"ready")
        assert await sandbox.stop(20) == Exit(5)
        assert await read(sandbox.output) == b"bye"


async def test_stop_kills_who_ignores_the_request_with_all_that_it_started(driver):
    code = """if True:
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for _ in range(3):
            if os.fork() == 0: time.sleep(60)
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.setsid(); os.write(1, b'daemon')
                time.sleep(60)
            os._exit(0)
        time.sleep(60)"""
    async with started(driver, spec_of(code)) as sandbox:
        await read(sandbox.output, until=b"daemon")
        pipe = output_pipe(sandbox)
        assert len(writers_to(pipe)) >= 5
        assert await sandbox.stop(0.05) == Exit(None, signal.SIGKILL)
        assert writers_to(pipe) == []
        await read(sandbox.output)  # nobody holds the pipe open


async def test_when_the_first_process_ends_so_do_the_others(driver):
    code = """if True:
        import os, time
        if os.fork() == 0:
            os.setsid(); time.sleep(60)
        os._exit(4)"""
    async with started(driver, spec_of(code)) as sandbox:
        pipe = output_pipe(sandbox)
        assert await sandbox.wait() == Exit(4)
        assert writers_to(pipe) == []


async def test_stop_after_the_end_and_twice_is_harmless(driver):
    async with started(driver, spec_of("import os; os._exit(2)")) as sandbox:
        assert await sandbox.wait() == Exit(2)
        assert await sandbox.stop(1) == Exit(2)
        assert list(await asyncio.gather(sandbox.stop(0), sandbox.stop(3))) == [Exit(2)] * 2
        sandbox.limit_cpu()
        assert sandbox.max_memory_bytes() >= 0


async def test_a_later_stop_without_grace_shortens_an_earlier_one(driver):
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    async with started(driver, spec_of(code)) as sandbox:
        await read(sandbox.output, until=b"1")
        patient = asyncio.create_task(sandbox.stop(30))
        await asyncio.sleep(0.05)
        async with asyncio.timeout(patiently(10)):
            assert await sandbox.stop(0) == await patient == Exit(None, signal.SIGKILL)


async def test_memory_use_is_told_also_after_the_end(driver):
    code = "b = bytearray(40 << 20); print('full', flush=True); import time; time.sleep(60)"
    async with started(driver, spec_of(code)) as sandbox:
        await read(sandbox.output, until=b"full")
        used = sandbox.max_memory_bytes()
        assert 40 << 20 <= used <= 90 << 20
        await sandbox.stop(0)
        assert sandbox.max_memory_bytes() >= used


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("/var/lang/bin/no-such-program",), "No such file or directory"),
        (("/var/lang",), "Permission denied"),
        (("/etc/services",), "Permission denied"),
        ((INTERPRETER, "a\0b"), "NUL"),
    ],
)
async def test_a_program_that_cannot_run_is_an_error_that_names_the_reason(driver, argv, said):
    spec = spec_of("")
    broken = type(spec)(
        sandbox_id=spec.sandbox_id,
        argv=argv,
        environ={"MARK": f"broken-{os.getpid()}"},
        working_directory="/var/task",
        mounts=spec.mounts,
        limits=spec.limits,
    )
    with pytest.raises(SandboxError, match=said) as raised:
        await driver.start(broken)
    told = raised.value
    assert (told.problem if isinstance(told, ProgramError) else "NUL") == said
    assert await eventually(lambda: processes_with(f"broken-{os.getpid()}") == [])


async def test_a_cancelled_start_leaves_nothing(driver):
    mark = f"cancelled-{os.getpid()}"
    for pause in (0, 0.001, 0.003, 0.006, 0.01, 0.02):
        spec = spec_of("import time; time.sleep(60)", environ={"MARK": mark})
        start = asyncio.create_task(driver.start(spec))
        await asyncio.sleep(pause)
        start.cancel()
        try:
            sandbox = await start
        except asyncio.CancelledError:
            assert await eventually(lambda: processes_with(mark) == [])
        else:
            await sandbox.stop(0)
            close(sandbox)


async def test_close_stops_what_still_runs(driver):
    sandboxes = [await driver.start(spec_of("import time; time.sleep(60)")) for _ in range(3)]
    pipes = [output_pipe(sandbox) for sandbox in sandboxes]
    assert all(writers_to(pipe) for pipe in pipes)
    await driver.close()
    assert not any(writers_to(pipe) for pipe in pipes)
    for sandbox in sandboxes:
        assert await sandbox.wait() == Exit(None, signal.SIGKILL)
        close(sandbox)


async def test_fifty_sandboxes_start_at_once_and_leave_nothing(driver):
    async def one(number: int) -> str:
        return await output_of(driver, f"print({number})", environ={"MARK": f"fifty-{os.getpid()}"})

    numbers = await asyncio.gather(*(one(number) for number in range(50)))
    assert numbers == [f"{number}\n" for number in range(50)]
    assert processes_with(f"fifty-{os.getpid()}") == []


async def test_the_runtime_api_of_one_sandbox_is_not_that_of_another(driver):
    listen = "import time; time.sleep(60)"
    async with started(driver, spec_of(listen)) as one, started(driver, spec_of(listen)) as other:
        assert one.runtime_api.fileno() != other.runtime_api.fileno()
        assert one.runtime_api.type == socket.SOCK_STREAM


async def test_a_mount_whose_source_is_missing_is_an_error(driver, task):
    spec = spec_of("print(1)")
    broken = type(spec)(
        sandbox_id=spec.sandbox_id,
        argv=("/opt/x/python",),
        environ={},
        working_directory="/",
        mounts=(Mount(task / "missing", "/opt/x"),),
        limits=spec.limits,
    )
    with pytest.raises(SandboxError, match="missing"):
        await driver.start(broken)


TICK = """if True:
    import os, time
    if os.fork() == 0:
        while True: os.write(1, b'.'); time.sleep(0.002)
    while True: os.write(1, b'_'); time.sleep(0.002)"""


async def test_nothing_runs_while_it_is_frozen_and_all_goes_on_afterwards(driver):
    async with started(driver, spec_of(TICK)) as sandbox:
        for _ in range(3):
            await read_both(sandbox)
            sandbox.freeze()
            sandbox.freeze()
            await asyncio.sleep(0.05)
            drain(sandbox)
            await asyncio.sleep(0.1)
            assert drain(sandbox) == b""
            sandbox.thaw()
            sandbox.thaw()
        await read_both(sandbox)


@pytest.mark.parametrize("grace_seconds", [0, 20])
async def test_a_frozen_sandbox_can_be_stopped(driver, grace_seconds):
    async with started(driver, spec_of(TICK)) as sandbox:
        await read_both(sandbox)
        pipe = output_pipe(sandbox)
        sandbox.freeze()
        async with asyncio.timeout(10):
            ending = await sandbox.stop(grace_seconds)
        assert ending == Exit(None, signal.SIGTERM if grace_seconds else signal.SIGKILL)
        assert writers_to(pipe) == []
        sandbox.freeze()
        sandbox.thaw()


async def read_both(sandbox) -> None:
    """Until both processes have written."""
    seen = b""
    async with asyncio.timeout(20):
        while not {*b"._"} <= {*seen}:
            seen += drain(sandbox)
            await asyncio.sleep(0.01)


def drain(sandbox) -> bytes:
    try:
        return os.read(sandbox.output, 1 << 20)
    except BlockingIOError:
        return b""
