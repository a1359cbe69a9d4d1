"""A zygote of Ruby is one only where `fork` is the platform's; what copies are like: tests/conformance/test_ruby.py."""

import subprocess

from tests.component.ruby_runtime.ruby_process import command


def test_where_fork_is_the_systems_it_ends_and_leaves_no_child_behind() -> None:
    ended = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" 4</dev/null', "sh", *command(), "--zygote"],
        stdin=subprocess.DEVNULL,
        capture_output=True,  # until the last process that holds the pipes has ended
        timeout=20,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, b"", b"")
