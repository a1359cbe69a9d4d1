"""The nft program. It acts on the network namespace of the thread that calls."""

import os
import re
import shutil
import subprocess
from typing import Final

from lampion.sandbox.cgroup_host import is_dead_owner
from lampion.sandbox.driver import SandboxError

_PATH: Final = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
_SECONDS: Final = 10.0


def find_nft() -> str | None:
    return shutil.which("nft", path=_PATH)


def can_change_firewall() -> bool:
    return os.geteuid() == 0 and find_nft() is not None


def change(rules: str) -> str:
    """Carry out commands, all or none of them; what nft prints. Raises SandboxError."""
    nft = find_nft()
    if nft is None:
        raise SandboxError("nft isn't installed (apt-get install nftables)")
    try:
        done = subprocess.run([nft, rules], capture_output=True, text=True, timeout=_SECONDS, check=False, env={})
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SandboxError(f"nft doesn't run: {error}") from error
    if done.returncode != 0:
        raise SandboxError(f"nft: {done.stderr.strip().splitlines()[0] if done.stderr.strip() else done.returncode}")
    return done.stdout


def table_name(parent: str, owner: str) -> str:
    """Of a server's table. nft's names begin with a letter."""
    return f"t-{parent}-{owner}" if not parent[0].isalpha() else f"{parent}-{owner}"


def delete_table(table: str) -> None:
    """Whether it is there or not. Raises SandboxError."""
    change(f"add table inet {table}\ndelete table inet {table}")


def sweep_tables(parent: str) -> int:
    """Delete tables of servers that are dead; how many there were. Raises SandboxError."""
    pattern = re.compile(rf"table inet ({re.escape(table_name(parent, ''))}(\d+-\d+-\d+))")
    dead = [match[1] for match in pattern.finditer(change("list tables")) if is_dead_owner(match[2])]
    for table in dead:
        delete_table(table)
    return len(dead)
