"""Builds the doors to the neighbouring services that are this server's own."""

from collections.abc import Mapping
from typing import Final

from lampion.app.rooms import Ports, Stores, Work
from lampion.aws.model import load_service
from lampion.aws.operation import collect
from lampion.config import Settings
from lampion.config.values import FunctionAccess
from lampion.gateway.authentication import Authentication, OpenAuthentication, SignedAuthentication
from lampion.gateway.door import Door
from lampion.gateway.query_api import QueryApi
from lampion.services.sts.callers import CallersApi

GLOBAL_REGION: Final = "us-east-1"
"""Where clients believe services to be that have no region, or an old endpoint for all."""


def neighbours(settings: Settings, ports: Ports, stores: Stores, work: Work, *, is_open: bool) -> Mapping[str, Door]:
    """By the name that requests are signed for."""

    def authentication(service: str) -> Authentication:
        if is_open:
            return OpenAuthentication(account_id=settings.account_id)
        return SignedAuthentication(
            keys=stores.keys,
            sessions=work.sessions,
            region=settings.region,
            also_region=GLOBAL_REGION,
            clock=ports.clock,
            service=service,
        )

    sts = load_service("sts")
    return {
        "sts": QueryApi(
            service=sts,
            handlers=collect(sts, [CallersApi()]),
            authentication=authentication("sts"),
            region=settings.region,
            functions_may_all=settings.function_access is FunctionAccess.ALL,
            free=frozenset(("GetCallerIdentity",)),
        )
    }
