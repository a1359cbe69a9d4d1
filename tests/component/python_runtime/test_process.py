"""The process that a handler finds itself in: paths, modules, builtins, output, wrapper, signals."""

import select
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.component.python_runtime.fake_runtime_api import Event, FakeRuntimeApi
from tests.component.python_runtime.runtime_process import (
    RUNTIME,
    every_python,
    interpreters,
    lampion_command,
    result,
    run,
    run_source,
)


@every_python
def test_the_order_of_the_module_path(python: str, tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("import sys\ndef handler(event, context):\n    return sys.path")
    version = next(name for name, program in interpreters().items() if program == python)
    environ = {"PYTHONPATH": str(RUNTIME), "AWS_EXECUTION_ENV": f"AWS_Lambda_python{version}"}
    path = result(run(lampion_command(python), "code.handler", [Event()], task=tmp_path, environ=environ))
    assert isinstance(path, list)
    layers = [f"/opt/python/lib/python{version}/site-packages", "/opt/python"]
    assert path[:4] == [str(tmp_path), *layers, str(RUNTIME)]
    standard = next(index for index, entry in enumerate(path) if Path(entry, "os.py").exists())
    packages = [index for index, entry in enumerate(path[4:], 4) if entry.endswith(("site-packages", "dist-packages"))]
    assert standard > 3
    assert all(standard < index for index in packages)
    assert len(path) == len(set(path))


@every_python
def test_files_of_the_function_dont_replace_what_the_runtime_needs(python: str, tmp_path: Path) -> None:
    for name in ("token", "enum", "json", "logging", "traceback", "types", "warnings", "string", "re", "decimal"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('the function's own module')")
    (tmp_path / "client.py").write_text("NAME = 'client'")
    (tmp_path / "bootstrap.py").write_text("NAME = 'bootstrap'")
    (tmp_path / "code.py").write_text(
        "import bootstrap, client, json, logging\n"
        "def handler(event, context):\n"
        "    logging.warning('logged')\n"
        "    raise ValueError(client.NAME + bootstrap.NAME)\n"
    )
    ran = run(lampion_command(python), "code.handler", [Event()], task=tmp_path)
    error = result(ran)
    assert isinstance(error, dict)
    assert error["errorMessage"] == "clientbootstrap"
    assert "\tlogged\n" in ran.stdout


def test_a_plain_handler_loads_little(tmp_path: Path) -> None:
    source = "import sys\ndef handler(event, context):\n    return sorted(sys.modules)"
    loaded = result(run_source(source, tmp_path))
    assert isinstance(loaded, list)
    heavy = {"json", "socket", "logging", "re", "traceback", "http", "http.client", "typing", "decimal", "site"}
    assert heavy.isdisjoint(loaded)


def test_builtins_are_complete(tmp_path: Path) -> None:
    source = "def handler(event, context):\n    return [repr(exit), repr(quit), callable(help), bool(str(copyright))]"
    ran = run_source(source, tmp_path)
    texts = [f"Use {name}() or Ctrl-D (i.e. EOF) to exit" for name in ("exit", "quit")]
    assert result(ran) == [*texts, True, True]


@every_python
def test_output_is_visible_at_once(python: str, tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(
        "import os, sys\n"
        "def handler(event, context):\n"
        "    sys.stdout.write('half a line é')\n"
        "    print('and more', file=sys.stderr, end='')\n"
        "    os._exit(4)\n"
    )
    ran = run(lampion_command(python), "code.handler", [Event()], task=tmp_path)
    assert (ran.exit_status, ran.stdout, ran.stderr) == (4, "half a line é", "and more")


def test_a_layers_sitecustomize_runs_when_pythonpath_names_it(tmp_path: Path) -> None:
    layer = tmp_path / "layer"
    layer.mkdir()
    (layer / "sitecustomize.py").write_text("import builtins\nbuiltins.traced = True")
    environ = {"PYTHONPATH": f"{RUNTIME}:{layer}"}
    assert result(run_source("def handler(event, context):\n    return traced", tmp_path, environ=environ)) is True


def test_a_failing_sitecustomize_doesnt_stop_the_function(tmp_path: Path) -> None:
    layer = tmp_path / "layer"
    layer.mkdir()
    (layer / "sitecustomize.py").write_text("raise ValueError('in the layer')")
    ran = run_source("def handler(event, context):\n    return 1", tmp_path, environ={"PYTHONPATH": str(layer)})
    assert result(ran) == 1
    assert "in the layer" in ran.stderr


class TestExecWrapper:
    """AWS_LAMBDA_EXEC_WRAPPER (developer guide, "Using wrapper scripts")."""

    SOURCE = """import os
def handler(event, context):
    return [os.environ.get("WRAPPED"), "AWS_LAMBDA_EXEC_WRAPPER" in os.environ]
"""

    def wrapper(self, directory: Path, script: str, mode: int = 0o755) -> dict[str, str]:
        path = directory / "wrapper"
        path.write_text(script)
        path.chmod(mode)
        return {"AWS_LAMBDA_EXEC_WRAPPER": str(path)}

    @every_python
    def test_the_runtime_is_started_through_it(self, python: str, tmp_path: Path) -> None:
        (tmp_path / "code.py").write_text(self.SOURCE)
        environ = self.wrapper(tmp_path, '#!/bin/sh\necho "$#" "$2"\nexport WRAPPED=yes\nexec "$@"\n')
        ran = run(lampion_command(python), "code.handler", [Event()], task=tmp_path, environ=environ)
        assert result(ran) == ["yes", True]
        assert ran.stdout == f"2 {RUNTIME / 'bootstrap.py'}\n"

    def test_it_may_add_options_before_the_script(self, tmp_path: Path) -> None:
        environ = self.wrapper(tmp_path, '#!/bin/sh\nWRAPPED=options exec "$1" -X utf8 "$2"\n')
        assert result(run_source(self.SOURCE, tmp_path, environ=environ)) == ["options", True]

    def test_missing(self, tmp_path: Path) -> None:
        path = str(tmp_path / "nothing")
        ran = run_source(self.SOURCE, tmp_path, environ={"AWS_LAMBDA_EXEC_WRAPPER": path})
        assert (ran.exit_status, ran.stdout) == (127, f"{path}: does not exist\n")

    @pytest.mark.parametrize(
        ("script", "mode", "text"),
        [("#!/bin/sh\n", 0o644, "is not an executable"), ("no program", 0o755, "Exec format error")],
    )
    def test_not_executable(self, script: str, mode: int, text: str, tmp_path: Path) -> None:
        environ = self.wrapper(tmp_path, script, mode)
        ran = run_source(self.SOURCE, tmp_path, environ=environ)
        assert (ran.exit_status, ran.stdout) == (126, f"{environ['AWS_LAMBDA_EXEC_WRAPPER']}: {text}\n")


@every_python
def test_a_signal_handler_runs_while_the_runtime_waits(python: str, tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(
        "import os, signal, sys\n"
        "def on_term(number, frame):\n"
        "    print('told to stop')\n"
        "    sys.exit(9)\n"
        "signal.signal(signal.SIGTERM, on_term)\n"
        "signal.signal(signal.SIGUSR1, lambda number, frame: print('go on'))\n"
        "def handler(event, context):\n"
        "    return os.getpid()\n"
    )
    with FakeRuntimeApi([Event()]) as api:
        variables = {
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "_HANDLER": "code.handler",
            "LAMBDA_TASK_ROOT": str(tmp_path),
        }
        with subprocess.Popen(lampion_command(python), env=variables, stdout=subprocess.PIPE) as process:
            try:
                assert api.exhausted.wait(20)
                assert told(process, signal.SIGUSR1) == b"go on\n"
                time.sleep(0.02)
                assert process.poll() is None
                assert told(process, signal.SIGTERM) == b"told to stop\n"
                assert process.wait(20) == 9
            finally:
                process.kill()


def told(process: "subprocess.Popen[bytes]", number: int) -> bytes:
    """The line that the process prints on a signal.

    Sent again when nothing comes: Python only notes a signal that arrives just before it enters the wait.
    """
    assert process.stdout is not None
    for _ in range(20):
        process.send_signal(number)
        if select.select([process.stdout], [], [], 1)[0]:
            return process.stdout.readline()
    raise AssertionError("no answer to the signal")
