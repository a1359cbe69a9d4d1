"""The control run can't happen outside of private namespaces."""

import os
import subprocess
import sys

import pytest

from tests.escape import control


def test_it_refuses_to_start_on_the_host():
    assert not control.is_private()
    with pytest.raises(AssertionError, match="private namespaces"), control.private_machine():
        pass


def test_it_knows_the_hosts_namespaces_even_when_told_otherwise(monkeypatch):
    monkeypatch.setenv(control.HOST_NAMESPACE, control.namespaces())
    assert not control.is_private()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gets all these namespaces without a user namespace")
def test_in_namespaces_of_its_own_it_may():
    environ = {**os.environ, control.HOST_NAMESPACE: control.namespaces()}
    program = (
        "import os, socket; from tests.escape import control\n"
        "with control.private_machine():\n"
        " made = socket.create_connection(('169.254.169.254', 80)); print(made.recv(100), os.listdir('/tmp'))"
    )
    command = control.command("-c", program)
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "b'metadata of the machine' []\n"


def test_there_is_no_other_way_in():
    done = subprocess.run(
        [sys.executable, "-m", "tests.escape.run", "--ground", "bare"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "private namespaces" in done.stderr
