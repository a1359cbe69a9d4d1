"""What every operation that gives out temporary keys answers with, and works with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lampion.clock.clock import Clock
from lampion.identity.temporary_keys import Standing, TemporaryKeys
from lampion.store.cached_resources import CachedResources

Members = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StsRooms:
    """What temporary keys are made of."""

    resources: CachedResources
    temporary: TemporaryKeys
    clock: Clock

    def standing(self, account_id: str, unique_id: str, seconds: int, **more: Any) -> Standing:
        """From now on, for `seconds`."""
        now = int(self.clock.now())
        return Standing(
            account_id=account_id,
            unique_id=unique_id,
            issued_epoch_seconds=now,
            expires_epoch_seconds=now + seconds,
            **more,
        )

    def issued(self, standing: Standing, members: Members) -> Mapping[str, Any]:
        """A new key that stands for that, with a token as long as is asked: STS's shape Credentials."""
        key = self.temporary.issue(standing, token_bytes_min=members.get("MinimumSessionTokenSize", 0))
        return {
            "AccessKeyId": key.access_key_id,
            "SecretAccessKey": key.secret_access_key,
            "SessionToken": key.session_token,
            "Expiration": standing.expires_epoch_seconds,
        }
