"""What a function's role lets the server do for it."""

from lampion.clock.virtual import VirtualClock
from lampion.domain.iam.identity import IdentityKind
from lampion.identity.directory import Directory
from lampion.identity.role_permissions import RolePermissions
from tests.identities import ACCOUNT, identity, keep, resources_in_memory

QUEUE = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q"


async def test_only_a_role_that_is_here_under_its_whole_arn_is_denied_anything() -> None:
    resources = resources_in_memory()
    permissions = RolePermissions(Directory(resources), VirtualClock())
    await keep(resources, identity(IdentityKind.ROLE, "r", path="/here/"))
    here, elsewhere = (f"arn:aws:iam::{ACCOUNT}:role/{path}r" for path in ("here/", "elsewhere/"))
    assert await permissions.denial(ACCOUNT, here, "sqs:SendMessage", QUEUE) is not None
    assert await permissions.denial(ACCOUNT, elsewhere, "sqs:SendMessage", QUEUE) is None
