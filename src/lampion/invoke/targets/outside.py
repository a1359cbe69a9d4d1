"""The services outside Lampion that take results, and what all of them share: a signed question about one ARN."""

from collections.abc import Mapping

from lampion.domain.resource_arn import ResourceArn
from lampion.endpoints.aws_client import AwsClient, Call
from lampion.endpoints.errors import ServiceUnreachable
from lampion.endpoints.exchange import HttpAnswer
from lampion.endpoints.services import Reach, Service
from lampion.invoke.targets.target import TargetUnavailable


class OutsideService:
    """One service as deliveries see it: no way there is TargetUnavailable."""

    def __init__(self, service: Service, client: AwsClient) -> None:
        self._service = service
        self._client = client

    def reach(self, arn: ResourceArn, *, region: str | None = None) -> Reach:
        """Where to ask about `arn`; `region` for ARNs that have none. Raises TargetUnavailable."""
        try:
            return self._client.reach(self._service, partition=arn.partition, region=region or arn.region)
        except ServiceUnreachable as error:
            raise TargetUnavailable(str(error)) from None

    async def ask(self, reach: Reach, call: Call) -> HttpAnswer:
        """The service's answer, whatever its status. Raises TargetUnavailable."""
        try:
            return await self._client.ask(reach, call)
        except ServiceUnreachable as error:
            raise TargetUnavailable(str(error)) from None


def json_call(target: str, version: str, body: bytes, trace_header: str = "") -> Call:
    """A request of AWS's JSON protocols; `target` is the operation with its prefix."""
    headers = {"Content-Type": f"application/x-amz-json-{version}", "X-Amz-Target": target}
    return Call({**headers, **traced(trace_header)}, body)


def traced(trace_header: str) -> Mapping[str, str]:
    """The header by which a trace goes on, if there is one."""
    return {"X-Amzn-Trace-Id": trace_header} if trace_header else {}
