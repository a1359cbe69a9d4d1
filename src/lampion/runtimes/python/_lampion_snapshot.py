"""SnapStart: hooks before the snapshot, the fork at which it is taken, and what makes a copy of it an environment.

The platform holds the process that calls `fork` for ever; each environment is a copy of it, in which that call returns.
"""

import os
import sys

import lambda_runtime_hooks_runner as hooks

if False:
    from typing import Callable, Iterator

    from _lampion_client import RuntimeClient
    from _lampion_logs import LogSink

_BEFORE_FAILED, _AFTER_FAILED = 64, 65  # the exit statuses of AWS's runtime


def pass_through_snapshot(client: "RuntimeClient", sink: "LogSink") -> "RuntimeClient":
    """Returns in an environment, with a client of its own; a failing hook ends the process, as on AWS."""
    try:
        hooks.run_before_snapshot()
        client.restore_next()
        client.close()
        _drop_unused_memory()
    except BaseException as error:
        _give_up(error, sink, client.fail_init, "Runtime.BeforeSnapshotError", _BEFORE_FAILED)
    copy = os.fork()
    if copy != 0:
        _stand_aside(copy)
    client = client.anew()
    try:
        _become_unique()
        hooks.run_after_restore()
    except BaseException as error:
        _give_up(error, sink, client.fail_restore, "Runtime.AfterRestoreError", _AFTER_FAILED)
    return client


def _stand_aside(copy: int) -> None:
    """A platform that doesn't hold us here takes no snapshots: then the only copy is the one environment."""
    _, status = os.waitpid(copy, 0)
    os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


def _drop_unused_memory() -> None:
    """A collection in a copy would write to, and so copy, every page of objects that all share."""
    import gc

    gc.collect()
    gc.freeze()


def _give_up(
    error: BaseException, sink: "LogSink", post: "Callable[[bytes, str], None]", error_type: str, exit_status: int
) -> None:
    import _lampion_errors as errors

    result, _ = errors.describe(error, None)  # type: ignore[arg-type]
    errors.log(result, sink)
    post(errors.to_bytes(result), error_type)
    sys.exit(exit_status)


# -- what copies of one process must not have in common --


def _become_unique() -> None:
    """Before any code of the function: `random` has reseeded itself in the fork."""
    _reseed_openssl()
    _reseed_numpy()
    for descriptor in _regular_files():
        _open_anew(descriptor)


def _reseed_openssl() -> None:
    """It notices a fork by itself where it can; mixing in fresh bytes doesn't rely on that."""
    ssl = sys.modules.get("_ssl")
    if ssl is not None:
        fresh = os.urandom(48)
        ssl.RAND_add(fresh, float(len(fresh)))


def _reseed_numpy() -> None:
    """Its global generator, which a program that never seeded it believes to be unpredictable."""
    random = sys.modules.get("numpy.random")
    if random is not None:
        random.seed()


def _regular_files() -> "Iterator[int]":
    from stat import S_ISREG

    for name in os.listdir("/proc/self/fd"):
        try:
            if S_ISREG(os.fstat(int(name)).st_mode):
                yield int(name)
        except OSError:
            pass  # the one with which the directory was read


def _open_anew(descriptor: int) -> None:
    """The position in an open file is common to all copies of the process until each opens it for itself."""
    try:
        fresh = os.open("/proc/self/fd/%d" % descriptor, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return  # a file that only its owner may read, and that isn't ours: the position stays common
    try:
        os.lseek(fresh, os.lseek(descriptor, 0, os.SEEK_CUR), os.SEEK_SET)
        os.dup2(fresh, descriptor, inheritable=os.get_inheritable(descriptor))
    finally:
        os.close(fresh)
