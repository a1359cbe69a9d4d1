"""Builds the doors, and the gateways that lead to them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lampion.app.neighbours import neighbours
from lampion.app.operations import operations
from lampion.app.registry import BuiltInRegistry, built_in_registry
from lampion.app.rooms import Ports, Stores, Work
from lampion.app.views import own_doors
from lampion.aws.model import load_service
from lampion.aws.operation import collect
from lampion.config import Settings
from lampion.config.values import AuthMode
from lampion.endpoints.aws_client import AwsClient
from lampion.endpoints.http_client import HttpClient
from lampion.function_url.door import FunctionUrlDoor, Listening
from lampion.gateway.authentication import Authentication, OpenAuthentication, SignedAuthentication
from lampion.gateway.authorization import Authorization
from lampion.gateway.aws_api import AwsApi
from lampion.gateway.code_downloads import CodeDownloads
from lampion.gateway.gateway import Gateway
from lampion.gateway.judge import Judge
from lampion.gateway.link_signatures import LinkSignatures
from lampion.gateway.other_services import OtherServices


@asynccontextmanager
async def other_services(settings: Settings, ports: Ports, work: Work) -> AsyncIterator[OtherServices]:
    """What functions reach through this server. Nothing is opened before its use."""
    http = HttpClient(ports.clock, ca_bundle=settings.endpoints.ca_bundle)
    try:
        yield OtherServices(
            AwsClient(settings.endpoints, http, ports.clock),
            configured=settings.endpoints.of_service.keys(),
            keys=work.keys,
            clock=ports.clock,
        )
    finally:
        await http.close()


def open_gateways(settings: Settings, ports: Ports, stores: Stores, work: Work, others: OtherServices) -> Gateway:
    """The gateway for clients; that for functions always checks signatures, for they aren't trusted as clients are."""
    signed = SignedAuthentication(keys=work.keys, region=settings.region, clock=ports.clock, takes_services=True)
    registry = built_in_registry(settings, ports, stores, work)
    checking = _gateway(registry, others, signed)
    work.doors.lead_to(checking)
    if settings.auth is AuthMode.OPEN:
        opened = OpenAuthentication(account_id=settings.account_id, directory=work.keys.directory)
        return _gateway(registry, others, opened, settings.scheme, is_open=True)
    return checking if settings.scheme == "http" else _gateway(registry, others, signed, settings.scheme)


def _gateway(
    registry: BuiltInRegistry,
    others: OtherServices,
    authentication: Authentication,
    scheme: str = "http",
    *,
    is_open: bool = False,
) -> Gateway:
    settings, ports, stores, work = registry.settings, registry.ports, registry.stores, registry.work
    service = load_service("lambda")
    judge = Judge(region=settings.region, scheme=scheme, clock=ports.clock, record=work.keys.record)
    downloads = CodeDownloads(
        blobs=stores.blobs,
        sealed=stores.sealed,
        signatures=LinkSignatures(stores.server_secret.value, region=settings.region, clock=ports.clock),
        clock=ports.clock,
    )
    aws_api = AwsApi(
        service=service,
        handlers=collect(service, operations(settings, ports, stores, work, downloads)),
        authentication=authentication,
        authorization=Authorization(judge, resources=stores.resources, region=settings.region),
        region=settings.region,
        scheme=scheme,
    )
    return Gateway(
        service=service,
        aws_api=aws_api,
        registry=registry.door(judge, is_open=is_open, scheme=scheme),
        registry_api=registry.api(judge, is_open=is_open, scheme=scheme),
        function_urls=_function_urls(registry, authentication, scheme, is_open=is_open),
        own={"code": downloads, **own_doors(settings, ports, stores, work, authentication, judge)},
        other_services=others,
        services=neighbours(settings, ports, stores, work, judge, is_open=is_open),
        rng=ports.rng,
    )


def _function_urls(
    registry: BuiltInRegistry, authentication: Authentication, scheme: str, *, is_open: bool
) -> FunctionUrlDoor:
    settings, ports, stores, work = registry.settings, registry.ports, registry.stores, registry.work
    if is_open:
        directory = work.keys.directory
        authentication = OpenAuthentication(account_id=settings.account_id, directory=directory, is_for_pages=True)
    return FunctionUrlDoor(
        Listening(
            region=settings.region,
            scheme=scheme,
            authentication=authentication,
        ),
        service=load_service("lambda"),
        resources=stores.resources,
        invoker=work.invoker,
        clock=ports.clock,
        tracing=work.tracing,
    )
