"""Which service is reached where, and with which key: what the operator configured, as values. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from lampion.endpoints.address import Address, aws_address
from lampion.endpoints.errors import ServiceUnreachable


class Service(Enum):
    """A service that Lampion asks: what users call it, and the names that its hosts and signatures carry."""

    SQS = ("sqs", "sqs", "sqs")
    SNS = ("sns", "sns", "sns")
    EVENTBRIDGE = ("eventbridge", "events", "events")
    S3 = ("s3", "s3", "s3")
    DYNAMODB = ("dynamodb", "dynamodb", "dynamodb")
    KMS = ("kms", "kms", "kms")

    def __init__(self, identifier: str, host_name: str, signing_name: str) -> None:
        self.identifier = identifier
        self.host_name = host_name
        self.signing_name = signing_name


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key; temporary ones have a session token."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ServiceEndpoint:
    """What is configured of one service: `address` None means AWS itself; `region` None the region of what is named."""

    address: Address | None
    credentials: Credentials | None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """One service, ready to be asked."""

    service: Service
    address: Address
    region: str
    credentials: Credentials
    is_aws: bool


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The configured services, and the certificates to trust in place of the system's, as a file."""

    of_service: Mapping[Service, ServiceEndpoint] = field(default_factory=dict)
    ca_bundle: Path | None = None

    def reach(self, service: Service, *, partition: str, region: str) -> Reach:
        """Where and how to ask `service` about something in `region`. Raises ServiceUnreachable, naming the setting."""
        configured = self.of_service.get(service)
        if configured is None:
            raise ServiceUnreachable(
                f"{service.identifier} has no endpoint: set AWS_ENDPOINT_URL_{service.identifier.upper()}, "
                f"or endpoint in [services.{service.identifier}] of the configuration file"
            )
        if configured.credentials is None:
            raise ServiceUnreachable(
                f"{service.identifier} has no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for the "
                f"server, or access_key_id and secret_access_key in [services.{service.identifier}]"
            )
        region = configured.region or region
        try:
            address = configured.address or aws_address(service.host_name, partition, region)
        except ValueError as error:
            raise ServiceUnreachable(f"{service.identifier} can't be reached: {error}") from None
        return Reach(service, address, region, configured.credentials, is_aws=configured.address is None)
