"""Where modules come from: the order of sys.path, and what the function can't replace by files of its own."""

import os
import sys

if False:
    from typing import Any, Callable, Iterator, Mapping, MutableMapping

LOADED_BY_AWS = frozenset(
    "__future__ _colorize _decimal _heapq _json _queue _weakrefset collections concurrent contextlib"
    " copyreg decimal enum functools heapq json keyword linecache logging math numbers operator queue re"
    " reprlib sre_compile sre_constants sre_parse string textwrap threading token tokenize traceback types"
    " warnings weakref".split()
)
"""Standard modules that AWS's runtime has loaded before it looks at the function: a `token.py` or an outdated `enum.py`
in a deployment package doesn't harm there."""


def arrange_path(environ: "MutableMapping[str, str]", runtime_directory: str) -> None:
    """Order sys.path as AWS does: function, layers, runtime, the function's PYTHONPATH, standard library, packages."""
    layers = environ.pop("_LAMPION_LAYERS", "/opt") + "/python"
    first = [
        environ.get("LAMBDA_TASK_ROOT", "/var/task"),
        layers + "/lib/python" + _runtime_version(environ) + "/site-packages",
        layers,
        runtime_directory,
    ]
    last = _package_directories() if sys.flags.no_site else ()
    path = first + [entry for entry in sys.path if entry not in first]
    sys.path[:] = path + [entry for entry in last if entry not in path]


def _runtime_version(environ: "Mapping[str, str]") -> str:
    """Of the function's runtime, for which its layers were made; the interpreter may be another that stands in."""
    named = environ.get("AWS_EXECUTION_ENV", "").partition("AWS_Lambda_python")[2]
    return named or "%d.%d" % sys.version_info[:2]


def _package_directories() -> "Iterator[str]":
    """Where the interpreter keeps installed packages; a virtual environment's come before those of its base."""
    version = "python%d.%d" % sys.version_info[:2]
    own_prefix = os.path.dirname(os.path.dirname(sys.executable))
    for prefix in dict.fromkeys((own_prefix, sys.prefix, sys.exec_prefix)):
        for directory in (
            prefix + "/lib/" + version + "/site-packages",
            prefix + "/local/lib/" + version + "/dist-packages",
            prefix + "/lib/python3/dist-packages",
        ):
            if os.path.isdir(directory):
                yield directory


def run_sitecustomize(environ: "Mapping[str, str]", runtime_directory: str) -> None:
    """Import `sitecustomize` when the function's PYTHONPATH may hold one: `site`, which would, hasn't run."""
    entries = environ.get("PYTHONPATH", "").split(os.pathsep)
    if not sys.flags.no_site or set(entries) <= {"", runtime_directory}:
        return
    try:
        import sitecustomize  # noqa: F401
    except ImportError as error:
        if error.name != "sitecustomize":
            sys.excepthook(*sys.exc_info())
    except Exception:
        sys.excepthook(*sys.exc_info())


class StandardModules:
    """A finder ahead of all others that takes `LOADED_BY_AWS` from the standard library, when they are needed."""

    def __init__(self, when_logging_is_loaded: "Callable[[], None]") -> None:
        library = os.path.dirname(os.__file__)
        self._path = [entry for entry in sys.path if os.path.dirname(entry) == library or entry == library]
        self._when_logging_is_loaded = when_logging_is_loaded

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> "Any":
        if name not in LOADED_BY_AWS:
            return None
        for finder in sys.meta_path:
            if finder is not self:
                spec = finder.find_spec(name, self._path, target)
                if spec is not None:
                    if name == "logging":
                        self._report_load(spec.loader)
                    return spec
        return None

    def _report_load(self, loader: "Any") -> None:
        execute = loader.exec_module

        def exec_module(module: "Any") -> None:
            del loader.exec_module
            execute(module)
            self._when_logging_is_loaded()

        loader.exec_module = exec_module
