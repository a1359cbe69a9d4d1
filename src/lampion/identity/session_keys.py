"""Keys that functions sign with: made for one sandbox, forgotten with it, in memory only."""

import base64
import hmac
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from lampion.clock.clock import Clock
from lampion.clock.rng import Rng
from lampion.domain.arn import FunctionKey
from lampion.identity.temporary_keys import Expired

LIFETIME_SECONDS: Final = 12 * 3600
"""Of keys in environment variables, which nobody can put others in the place of."""
_ID_RANDOM_BYTES: Final = 10
_SECRET_RANDOM_BYTES: Final = 30
_TOKEN_RANDOM_BYTES: Final = 96
_ROLE_ID_CHARACTERS: Final = 17


@dataclass(frozen=True, slots=True)
class Runner:
    """A version of a function as it was made: one that is made again under its name has another creation."""

    key: FunctionKey
    version: str
    creation_id: str


@dataclass(frozen=True, slots=True)
class SessionKey:
    """A key of a role that someone assumed for a while, in AWS's form. Valid only together with its token.

    `role_id` is the unique id that the role had then, empty where there was none; `runner` is who assumed it.
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    account_id: str
    role_arn: str
    session_name: str
    expires_epoch_seconds: float
    role_id: str = ""
    runner: Runner | None = None

    @property
    def arn(self) -> str:
        """The caller as AWS's messages name it."""
        return f"arn:aws:sts::{self.account_id}:assumed-role/{self.role_arn.rpartition('/')[2]}/{self.session_name}"

    @property
    def user_id(self) -> str:
        """As AWS's: the role's unique id and the session's name. Roles aren't kept here: the id is made of the ARN."""
        digest = base64.b32encode(sha256(self.role_arn.encode()).digest()).decode()
        return f"AROA{digest[:_ROLE_ID_CHARACTERS]}:{self.session_name}"


class SessionKeys:
    """Those that haven't been revoked; the expired ones among them are told from those that never were."""

    def __init__(self, rng: Rng, clock: Clock) -> None:
        self._rng = rng
        self._clock = clock
        self._known: dict[str, SessionKey] = {}

    def issue(
        self,
        *,
        account_id: str,
        role: str,
        session_name: str,
        lifetime_seconds: float = LIFETIME_SECONDS,
        role_id: str = "",
        runner: Runner | None = None,
    ) -> SessionKey:
        """A new key of `role`, an ARN whose last part is the role's name; valid until it expires or is revoked."""
        key = SessionKey(
            access_key_id="ASIA" + base64.b32encode(self._rng.token(_ID_RANDOM_BYTES)).decode(),
            secret_access_key=base64.b64encode(self._rng.token(_SECRET_RANDOM_BYTES)).decode(),
            session_token=base64.b64encode(self._rng.token(_TOKEN_RANDOM_BYTES)).decode(),
            account_id=account_id,
            role_arn=role,
            session_name=session_name,
            expires_epoch_seconds=self._clock.now() + lifetime_seconds,
            role_id=role_id,
            runner=runner,
        )
        self._known[key.access_key_id] = key
        return key

    def find(self, access_key_id: str, session_token: str) -> SessionKey | None:
        """The valid key of that id, when the token is its own; compared in constant time. Raises Expired."""
        key = self._known.get(access_key_id)
        if key is None or not hmac.compare_digest(key.session_token.encode(), session_token.encode(errors="replace")):
            return None
        if key.expires_epoch_seconds <= self._clock.now():
            raise Expired
        return key

    def named(self, access_key_id: str) -> SessionKey | None:
        """The valid key of that id, for who has made sure of its bearer before."""
        key = self._known.get(access_key_id)
        return None if key is None or key.expires_epoch_seconds <= self._clock.now() else key

    def revoke(self, key: SessionKey) -> None:
        """From here on it is unknown. Idempotent."""
        self._known.pop(key.access_key_id, None)
