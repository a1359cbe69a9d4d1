"""What the role of a function lets the server do for it: read its sources, send results to its destinations."""

from lampion.clock.clock import Clock
from lampion.domain.resource_arn import region_of
from lampion.identity.denials import denial
from lampion.identity.directory import Directory
from lampion.identity.evaluation import Request, evaluate
from lampion.identity.request_facts import Known, asking_within, facts_of_resource


class RolePermissions:
    """Asks the policies of roles that are here. Of one that isn't nothing is known, and nothing denied.

    Nor is anything where functions may all that their account may.
    """

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock

    async def denial(self, account_id: str, role_arn: str, action: str, resource: str) -> str | None:
        """AWS's sentence, or None where the role may do `action` with `resource`."""
        actor = await self._directory.role(account_id, role_arn.rpartition("/")[2])
        if actor is None or actor.caller.role_arn != role_arn or self._directory.functions_may_all:
            return None
        known = Known(asking_within(region_of(resource), self._clock.now()), actor.known, facts_of_resource(resource))
        request = Request(caller=actor.caller, action=action, resource=resource, known=known)
        verdict = evaluate(request, actor.policies())
        return None if verdict.is_allowed else denial(request, verdict)
