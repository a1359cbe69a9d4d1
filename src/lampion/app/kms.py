"""Builds KMS: the keys at work, and the door to its API."""

import hmac
from collections.abc import Sequence

from lampion.app.rooms import Ports, Stores
from lampion.aws.model import load_service
from lampion.aws.operation import collect
from lampion.aws.pagination import Markers
from lampion.aws.validator import refusal
from lampion.config import Settings
from lampion.gateway.authentication import Authentication
from lampion.gateway.judge import Judge
from lampion.gateway.target_api import TargetApi
from lampion.identity.call_record import CallRecord
from lampion.identity.environment_upgrade import seal_plain_environments
from lampion.identity.function_environments import FunctionEnvironments
from lampion.identity.key_access import KeyAccess
from lampion.services.kms.aliases import AliasesApi
from lampion.services.kms.data_keys import DataKeysApi
from lampion.services.kms.encryption import EncryptionApi
from lampion.services.kms.grants import GrantsApi
from lampion.services.kms.keys import KeysApi
from lampion.services.kms.policies import KeyPoliciesApi
from lampion.services.kms.rooms import KmsRooms
from lampion.services.kms.rotation import RotationApi
from lampion.services.kms.states import StatesApi
from lampion.services.kms.tags import KmsTagsApi


async def function_environments(ports: Ports, stores: Stores) -> FunctionEnvironments:
    """What encrypts and opens functions' variables; from here on none are stored in plain text. Raises StoreError."""
    environments = FunctionEnvironments(stores.function_keys, ports.agenda)
    await seal_plain_environments(stores.functions, stores.resources, environments, stores.write_anew)
    return environments


def kms_door(
    settings: Settings, ports: Ports, stores: Stores, authentication: Authentication, judge: Judge, record: CallRecord
) -> TargetApi:
    service, secret = load_service("kms"), stores.server_secret.value.encode()
    rooms = KmsRooms(
        resources=stores.resources,
        keys=stores.encryption_keys,
        access=KeyAccess(stores.resources, record),
        clock=ports.agenda,
        rng=ports.rng,
        markers=Markers(hmac.digest(secret, b"kms pagination markers", "sha256")),
    )
    return TargetApi(
        service=service,
        handlers=collect(service, kms_operations(rooms)),
        authentication=authentication,
        region=settings.region,
        scheme=settings.scheme,
        judge=judge,
        invalid=refusal,
        handlers_judge=True,
    )


def kms_operations(rooms: KmsRooms) -> Sequence[object]:
    """All that KMS offers here."""
    nouns = (KeysApi, StatesApi, KeyPoliciesApi, AliasesApi, GrantsApi, KmsTagsApi, RotationApi)
    return [part(rooms) for part in (*nouns, EncryptionApi, DataKeysApi)]
