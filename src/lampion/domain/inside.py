"""What a function finds out about where it runs, on AWS and here: its user, and the names of its own machine."""

from typing import Final

USER_NAME: Final = "sbx_user1051"
USER_ID: Final = 993
GROUP_ID: Final = 990

OWN_NAMES: Final = ("sandbox.localdomain", "sandbox")
"""By them extensions know where they listen for telemetry."""
HOSTS: Final = f"127.0.0.1 localhost\n::1 localhost\n127.0.0.1 {' '.join(OWN_NAMES)}\n"
"""/etc/hosts."""


def user_line(user_id: int = USER_ID, group_id: int = GROUP_ID) -> str:
    """Of /etc/passwd."""
    return f"{USER_NAME}:x:{user_id}:{group_id}::/home/{USER_NAME}:/sbin/nologin\n"


def group_line(group_id: int = GROUP_ID) -> str:
    """Of /etc/group."""
    return f"{USER_NAME}:x:{group_id}:\n"
