"""Process 1 of the guest: places the command in a cgroup as systemd would, runs it, tells its exit code, and ends.

Run only inside the guest: it changes the machine it runs on.
"""

import ctypes
import json
import os
import termios
import traceback
import tty
from pathlib import Path
from typing import Final

from tests.guest import ordinary_user
from tests.guest.cgroup_tree import service_cgroup, user_cgroup
from tests.guest.machine import EXCHANGE, Job

_OUTPUT: Final = "/dev/ttyS1"
_POWER_OFF: Final = 0x4321FEDC


def main() -> None:
    job = Job(**json.loads((EXCHANGE / "job.json").read_text()))
    if job.as_user:
        ordinary_user.create()
        cgroup = user_cgroup(ordinary_user.USER_ID)
    else:
        cgroup = service_cgroup()
    output = _open_output()
    child = os.fork()
    if child == 0:
        _become(job, cgroup, output)
    code = _reap_until(child)
    termios.tcdrain(output)
    (EXCHANGE / "exit-code").write_text(str(code))


def _open_output() -> int:
    """The serial line, passing every byte as it is."""
    output = os.open(_OUTPUT, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(output)
    return output


def _become(job: Job, cgroup: Path, output: int) -> None:
    try:
        for target in (1, 2):
            os.dup2(output, target)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.setsid()
        # While we still may: the way leads through cgroups that aren't the user's.
        (cgroup / "cgroup.procs").write_text(str(os.getpid()))
        environ = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        if job.as_user:
            environ |= ordinary_user.become()
        os.execvpe(job.argv[0], job.argv, {**environ, "LANG": "C.UTF-8", **job.environ})
    except BaseException:
        traceback.print_exc()
        os._exit(127)


def _reap_until(child: int) -> int:
    """Wait for everybody's orphans, as process 1 must; the child's exit code, or 128 and its signal."""
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


if __name__ == "__main__":
    try:
        main()
    except BaseException:
        traceback.print_exc()
    finally:
        os.sync()
        ctypes.CDLL(None).reboot(_POWER_OFF)
