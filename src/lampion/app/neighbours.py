"""Builds the doors to the neighbouring services that are this server's own."""

import hmac
from collections.abc import Mapping, Sequence
from typing import Final

from lampion.app.kms import kms_door
from lampion.app.rooms import Ports, Stores, Work
from lampion.aws.model import load_service
from lampion.aws.operation import collect
from lampion.aws.pagination import Markers
from lampion.config import Settings
from lampion.gateway.authentication import Authentication, OpenAuthentication, SignedAuthentication
from lampion.gateway.door import Door
from lampion.gateway.judge import Judge
from lampion.gateway.query_api import QueryApi
from lampion.identity.directory import Directory
from lampion.services.iam.access_keys import AccessKeysApi
from lampion.services.iam.account_aliases import AccountAliasesApi
from lampion.services.iam.account_authorization import AccountAuthorizationApi
from lampion.services.iam.account_summary import AccountSummaryApi
from lampion.services.iam.asked import AskedOfIam
from lampion.services.iam.attachments import AttachmentsApi
from lampion.services.iam.boundaries import BoundariesApi
from lampion.services.iam.faults import invalid
from lampion.services.iam.groups import GroupsApi
from lampion.services.iam.inline_policies import InlinePoliciesApi
from lampion.services.iam.policies import PoliciesApi
from lampion.services.iam.roles import RolesApi
from lampion.services.iam.rooms import IamRooms
from lampion.services.iam.service_access import ServiceAccessApi
from lampion.services.iam.service_linked_roles import ServiceLinkedRolesApi
from lampion.services.iam.simulation import SimulationApi
from lampion.services.iam.tags import IamTagsApi
from lampion.services.iam.users import UsersApi
from lampion.services.sts.asked import asked_of_sts
from lampion.services.sts.callers import CallersApi
from lampion.services.sts.credentials import StsRooms
from lampion.services.sts.federation import FederationApi
from lampion.services.sts.sessions import SessionsApi

GLOBAL_REGION: Final = "us-east-1"
"""Where clients believe services to be that have no region, or an old endpoint for all."""
_GLOBAL: Final = frozenset(("iam", "sts"))


def neighbours(
    settings: Settings, ports: Ports, stores: Stores, work: Work, judge: Judge, *, is_open: bool
) -> Mapping[str, Door]:
    """By the name that requests are signed for."""

    def authentication(service: str) -> Authentication:
        return _authentication(service, settings, ports, work, is_open=is_open)

    iam, sts = load_service("iam"), load_service("sts")
    return {
        "iam": QueryApi(
            service=iam,
            handlers=collect(iam, iam_operations(_iam_rooms(ports, stores), work.keys.directory)),
            authentication=authentication("iam"),
            judge=judge,
            asked_for=AskedOfIam(stores.resources),
            region=settings.region,
            invalid=invalid,
        ),
        "sts": QueryApi(
            service=sts,
            handlers=collect(sts, sts_operations(ports, stores, work)),
            authentication=authentication("sts"),
            judge=judge,
            asked_for=asked_of_sts,
            region=settings.region,
            free=frozenset(("GetCallerIdentity", "GetSessionToken", "AssumeRole")),
        ),
        "kms": kms_door(settings, ports, stores, authentication("kms"), judge, work.keys.record),
    }


def _iam_rooms(ports: Ports, stores: Stores) -> IamRooms:
    secret = stores.server_secret.value.encode()
    return IamRooms(
        resources=stores.resources,
        clock=ports.clock,
        rng=ports.rng,
        markers=Markers(hmac.digest(secret, b"iam pagination markers", "sha256")),
        secret=hmac.digest(secret, b"iam task ids", "sha256"),
    )


def sts_operations(ports: Ports, stores: Stores, work: Work) -> Sequence[object]:
    """All that STS offers here."""
    keys = work.keys
    rooms = StsRooms(resources=stores.resources, temporary=keys.temporary, record=keys.record, clock=ports.clock)
    return [CallersApi(), SessionsApi(rooms), FederationApi(rooms)]


def _authentication(service: str, settings: Settings, ports: Ports, work: Work, *, is_open: bool) -> Authentication:
    if is_open:
        return OpenAuthentication(account_id=settings.account_id, directory=work.keys.directory)
    return SignedAuthentication(
        keys=work.keys,
        region=settings.region,
        also_region=GLOBAL_REGION if service in _GLOBAL else None,
        clock=ports.clock,
        service=service,
    )


def iam_operations(rooms: IamRooms, directory: Directory) -> Sequence[object]:
    """All that IAM offers here."""
    parts = (UsersApi, GroupsApi, RolesApi, PoliciesApi, InlinePoliciesApi, AttachmentsApi, BoundariesApi, IamTagsApi)
    of_account = (
        AccountAliasesApi,
        AccountSummaryApi,
        AccountAuthorizationApi,
        ServiceLinkedRolesApi,
        ServiceAccessApi,
    )
    return [*(part(rooms) for part in (*parts, *of_account)), AccessKeysApi(rooms), SimulationApi(rooms, directory)]
