"""`python -m tests.guest run -- COMMAND`: run any command in a guest that has cgroup version 2 only."""

import argparse
import sys

from tests.guest.kernel import NoKernel
from tests.guest.machine import GuestFailed, Hardware, Job, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.guest", description=__doc__)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("run", help="run a command; its exit code is ours")
    command.add_argument("--user", action="store_true", help="as an ordinary user with a delegated cgroup")
    command.add_argument("--memory-mib", type=int, default=2048)
    command.add_argument("--processors", type=int, default=2)
    command.add_argument("--module", action="append", default=[], help="one more kernel module to load")
    command.add_argument("--minutes", type=float, default=30, help="the longest it may take")
    command.add_argument("argv", nargs="+", metavar="COMMAND")
    chosen = parser.parse_args()
    hardware = Hardware(memory_mib=chosen.memory_mib, processors=chosen.processors, modules=tuple(chosen.module))
    try:
        return run(Job(argv=tuple(chosen.argv), as_user=chosen.user), hardware, chosen.minutes * 60)
    except (GuestFailed, NoKernel) as error:
        print(f"guest: {error}", file=sys.stderr)
        return 125


if __name__ == "__main__":
    sys.exit(main())
