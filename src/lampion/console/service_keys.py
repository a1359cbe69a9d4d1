"""GET /_lampion/service-keys, POST .../<service>, DELETE .../<key id>: keys of programs that call as services."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from lampion.console.view import Asked
from lampion.domain.errors import ResourceNotFoundException
from lampion.domain.iam.service_key import ServiceKey, service_name
from lampion.identity.service_keys import ServiceKeyring

ACTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {"GET": "lampion:ListServiceKeys", "POST": "lampion:CreateServiceKey", "DELETE": "lampion:DeleteServiceKey"}
)
"""What each method is to policies: more than to read or to change, for a key is somebody else."""


class ServiceKeysView:
    """What `lampion iam service-key` asks."""

    path = re.compile(r"/_lampion/service-keys(?:/([^/]{1,200}))?")
    methods: Mapping[str, int] = MappingProxyType({"GET": 0, "POST": 0, "DELETE": 0})

    def __init__(self, keyring: ServiceKeyring) -> None:
        self._keyring = keyring

    async def answer(self, asked: Asked) -> bytes:
        """Of the account that asks. Raises ValueError, ResourceNotFoundException."""
        about = unquote(asked.about)
        if asked.method == "GET":
            return msgspec.json.encode({"Keys": [_shape(key) for key in await self._keyring.of(asked.account_id)]})
        if asked.method == "POST":
            key = await self._keyring.make(asked.account_id, service_name(about))
            return msgspec.json.encode({**_shape(key), "SecretAccessKey": key.secret_access_key})
        if not await self._keyring.remove(asked.account_id, about):
            raise ResourceNotFoundException(f"There is no service key {about} in this account.")
        return b"{}"


def _shape(key: ServiceKey) -> Mapping[str, Any]:
    return {"AccessKeyId": key.access_key_id, "Service": key.service, "Created": key.created_epoch_seconds}
