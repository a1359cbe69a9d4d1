"""The operations of the API: one line for each noun, and what all of them work with."""

import hmac

from lampion.api.account_settings import AccountSettingsApi
from lampion.api.aliases import AliasesApi
from lampion.api.capacity_providers import CapacityProvidersApi
from lampion.api.code_signing import CodeSigningConfigsApi, FunctionCodeSigningApi
from lampion.api.concurrency import ConcurrencyApi
from lampion.api.event_invoke_configs import EventInvokeConfigsApi
from lampion.api.event_source_mappings import EventSourceMappingsApi
from lampion.api.function_code import FunctionCodeApi
from lampion.api.function_configuration import FunctionConfigurationApi
from lampion.api.function_rooms import CodeLinks, FunctionRooms
from lampion.api.function_urls import FunctionUrlsApi
from lampion.api.functions import FunctionsApi
from lampion.api.invocation_requests import InvocationRequests
from lampion.api.invocations import InvocationsApi
from lampion.api.layer_policies import LayerPoliciesApi
from lampion.api.layers import LayersApi
from lampion.api.policies import PoliciesApi
from lampion.api.provisioned_concurrency import ProvisionedConcurrencyApi
from lampion.api.recursion_configs import RecursionConfigsApi
from lampion.api.response_streams import ResponseStreamsApi
from lampion.api.runtime_management import RuntimeManagementApi
from lampion.api.scaling_configs import ScalingConfigsApi
from lampion.api.tags import TagsApi
from lampion.api.versions import VersionsApi
from lampion.app.rooms import Ports, Stores, Work
from lampion.aws.pagination import Markers
from lampion.config import Settings
from lampion.identity.role_permissions import RolePermissions


def operations(settings: Settings, ports: Ports, stores: Stores, work: Work, links: CodeLinks) -> list[object]:
    """Every object whose methods are operations of the API."""
    rooms, markers = _rooms(ports, stores, work), _markers(stores)
    requests = InvocationRequests(invoker=work.invoker, tracing=work.tracing)
    return [
        FunctionsApi(rooms, environments=work.pool, links=links, markers=markers),
        VersionsApi(rooms, markers=markers),
        AliasesApi(rooms, markers=markers),
        FunctionCodeApi(rooms),
        FunctionConfigurationApi(rooms),
        PoliciesApi(rooms),
        FunctionUrlsApi(rooms, markers=markers),
        RecursionConfigsApi(rooms),
        RuntimeManagementApi(rooms),
        TagsApi(rooms),
        LayersApi(rooms, links=links, markers=markers),
        LayerPoliciesApi(rooms),
        CodeSigningConfigsApi(rooms, markers=markers),
        FunctionCodeSigningApi(rooms, markers=markers),
        CapacityProvidersApi(rooms, markers=markers),
        EventSourceMappingsApi(rooms, markers=markers),
        ConcurrencyApi(rooms, limit=settings.concurrency_limit),
        ProvisionedConcurrencyApi(
            rooms, allocations=work.provisioning, markers=markers, limit=settings.concurrency_limit
        ),
        AccountSettingsApi(rooms, concurrency_limit=settings.concurrency_limit),
        ScalingConfigsApi(rooms),
        EventInvokeConfigsApi(rooms, markers=markers),
        InvocationsApi(requests, invoker=work.invoker, events=work.events),
        ResponseStreamsApi(requests, invoker=work.invoker),
    ]


def _markers(stores: Stores) -> Markers:
    return Markers(hmac.digest(stores.server_secret.value.encode(), b"pagination markers", "sha256"))


def _rooms(ports: Ports, stores: Stores, work: Work) -> FunctionRooms:
    return FunctionRooms(
        functions=stores.functions,
        resources=stores.resources,
        lookup=work.lookup,
        deployments=work.deployments,
        images=work.image_sources,
        runtimes=work.runtimes,
        snapshots=work.snapshots,
        environments=work.environments,
        clock=ports.clock,
        rng=ports.rng,
        permissions=RolePermissions(work.keys.directory, ports.clock),
    )
