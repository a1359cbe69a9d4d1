"""What the guest can and can't do to the host, and that it ends with its maker."""

import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.guest.machine import Hardware, qemu_command

HOLD = """
from tests.guest.machine import running
with running(["sleep", "600"]) as guest:
    print(guest.pid, flush=True)
    guest.wait()
"""


def options(command: list[str], flag: str) -> list[str]:
    return [value for name, value in pairwise(command) if name == flag]


def test_the_host_is_shared_read_only_and_nothing_but_the_exchange_can_be_written():
    command = qemu_command(Path("/k"), Path("/run"), Hardware())
    shares = dict(share.split("path=")[::-1] for share in options(command, "-fsdev"))
    assert shares.keys() == {"/,readonly=on,multidevs=remap", "/run/exchange"}
    assert "-drive" not in command


def test_the_guest_has_no_network():
    command = qemu_command(Path("/k"), Path("/run"), Hardware())
    assert "-nodefaults" in command  # or qemu would add a network card
    assert not {"-nic", "-net", "-netdev"} & set(command)
    assert all(device.startswith("virtio-9p-pci") for device in options(command, "-device"))


def test_a_comma_in_a_path_is_no_end_of_it():
    command = qemu_command(Path("/k"), Path("/a,b"), Hardware(memory_mib=512))
    assert "local,id=exchange,security_model=none,path=/a,,b/exchange" in command
    assert options(command, "-chardev")[0] == "file,id=console,path=/a,,b/console"
    assert options(command, "-m") == ["512"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_the_guest_ends_with_its_maker_however_that_ends(number):
    maker = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with maker:
        assert maker.stdout is not None
        guest = int(maker.stdout.readline())
        maker.send_signal(number)
    for _ in range(500):
        if not is_running(guest):
            return
        time.sleep(0.02)
    os.kill(guest, signal.SIGKILL)
    pytest.fail("the guest still runs")


def is_running(pid: int) -> bool:
    """A process that nobody has reaped yet runs no more."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in ("Z", "X")
