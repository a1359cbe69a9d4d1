"""A master key in the keeping of a KMS elsewhere: a data key that only that KMS opens, asked for at each start.

The store holds the data key's ciphertext; the plaintext is in this server's memory only.
"""

import base64
from collections.abc import Mapping
from typing import Any, Final, TypedDict, TypeVar

import msgspec

from lampion.clock.clock import Clock
from lampion.endpoints.address import Address
from lampion.endpoints.aws_client import AwsClient, Call
from lampion.endpoints.errors import ServiceUnreachable
from lampion.endpoints.exchange import HttpAnswer
from lampion.endpoints.services import Reach, Service
from lampion.identity.key_places import Made
from lampion.store.errors import MasterKeyUnusable
from lampion.store.kms import MasterKeyCheck
from lampion.store.master_key_file import KEY_BYTES

T = TypeVar("T")

DEADLINE_SECONDS: Final = 30.0
"""A server that can't get its key says so after this time at most."""
PAUSES_SECONDS: Final = (0.2, 0.5, 1.0, 2.0)
"""Between attempts."""
_CONTEXT_KEY: Final = "LampionInstallation"
_TOLD_CHARACTERS: Final = 300
_OK: Final = 200
_SERVERS_FAULT: Final = 500
_TOO_MANY: Final = 429
_PASSING: Final = frozenset(
    ("ThrottlingException", "TooManyRequestsException", "KMSInternalException", "DependencyTimeoutException")
)
_LOOPBACK: Final = frozenset(("localhost", "127.0.0.1", "::1"))


class _DataKey(TypedDict):
    Plaintext: bytes
    CiphertextBlob: bytes


class _Decrypted(TypedDict):
    Plaintext: bytes


class _Passing(Exception):
    """It may go better soon."""


class ExternalKmsPlace:
    """One key there (identity.key_places.KeyPlace). What is refused there, or not answered, is MasterKeyUnusable."""

    is_made_at_start = True

    def __init__(self, key_id: str, *, client: AwsClient, clock: Clock, partition: str, region: str) -> None:
        self._key_id = key_id
        self._client = client
        self._clock = clock
        self._partition = partition
        self._region = region
        self.name = self.told = f"kms:{key_id}"

    async def read(self, check: MasterKeyCheck | None) -> bytes | None:
        if check is None or not check.sealed_key:
            return None
        return await self._decrypt(check.sealed_key, check.installation)

    async def make(self, installation: str, random: bytes) -> Made:
        """A new one each time; nothing is left there. It is opened again at once: who may make keys there may perhaps
        not open them.
        """
        made = await self._ask("GenerateDataKey", {"NumberOfBytes": KEY_BYTES}, installation, _DataKey)
        key, sealed = made["Plaintext"], made["CiphertextBlob"]
        if len(key) != KEY_BYTES or not sealed or await self._decrypt(sealed, installation) != key:
            raise self._unusable("answered GenerateDataKey with what is no key of 32 bytes, or opens another one")
        return Made(key, sealed)

    async def _decrypt(self, sealed: bytes, installation: str) -> bytes:
        blob = base64.b64encode(sealed).decode()
        opened = await self._ask("Decrypt", {"CiphertextBlob": blob}, installation, _Decrypted)
        if len(opened["Plaintext"]) != KEY_BYTES:
            raise self._unusable("answered Decrypt with what is no key of 32 bytes")
        return opened["Plaintext"]

    async def _ask(self, operation: str, members: Mapping[str, Any], installation: str, shape: type[T]) -> T:
        context = {_CONTEXT_KEY: installation}
        body = msgspec.json.encode({"KeyId": self._key_id, "EncryptionContext": context, **members})
        target = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"TrentService.{operation}"}
        try:
            reach = self._client.reach(Service.KMS, partition=self._partition, region=self._region)
        except ServiceUnreachable as error:
            raise self._unusable(f"can't be asked: {error}") from None
        if not _is_private(reach.address):
            raise self._unusable(f"would come in the clear from {reach.address}. Use an endpoint of https://")
        answer = await self._answer(reach, Call(target, body), operation)
        try:
            return msgspec.json.decode(answer, type=shape)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise self._unusable(
                f"can't be had: {reach.address} answered something else than {operation} does"
            ) from None

    async def _answer(self, reach: Reach, call: Call, operation: str) -> bytes:
        """Of as many attempts as it takes. Raises MasterKeyUnusable."""
        problem, attempts = "no answer", 0
        try:
            async with self._clock.deadline(DEADLINE_SECONDS):
                for pause in (*PAUSES_SECONDS, None):
                    attempts += 1
                    try:
                        return self._taken(await self._client.ask(reach, call), reach, operation)
                    except (ServiceUnreachable, _Passing) as error:
                        problem = str(error)
                    if pause is not None:
                        await self._clock.sleep(pause)
        except TimeoutError:
            pass
        raise self._unusable(f"can't be had: {problem} (asked {attempts} times)")

    def _taken(self, answer: HttpAnswer, reach: Reach, operation: str) -> bytes:
        """Raises _Passing, MasterKeyUnusable."""
        if answer.status == _OK:
            return answer.body
        code, message = _refusal(answer)
        told = f"kms at {reach.address} answered {operation} with {code or f'status {answer.status}'}"
        told = f"{told}: {message}" if message else told
        if answer.status >= _SERVERS_FAULT or answer.status == _TOO_MANY or code in _PASSING:
            raise _Passing(told)
        raise self._unusable(f"can't be had: {told}")

    def _unusable(self, problem: str) -> MasterKeyUnusable:
        return MasterKeyUnusable(f"the master key of {self.name} {problem}.")


def _is_private(address: Address) -> bool:
    return address.origin.is_tls or address.origin.host in _LOOPBACK


def _refusal(answer: HttpAnswer) -> tuple[str, str]:
    """Code and message, as far as there are some, on one line."""
    try:
        told = msgspec.json.decode(answer.body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "", ""
    code = str(told.get("__type") or told.get("code") or "").rpartition("#")[2]
    return _line(code), _line(str(told.get("message") or told.get("Message") or ""))


def _line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)[:_TOLD_CHARACTERS].rstrip(". ")
