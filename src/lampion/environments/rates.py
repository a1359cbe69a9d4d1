"""Token buckets: how often something may happen. Pure: times are those of a monotonic clock, in seconds."""

from collections.abc import Hashable
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

_MANY: Final = 1000


class TokenBucket:
    """Full at first; `rate` tokens come in each second, and no more than `most` are ever in it."""

    __slots__ = ("_at", "_most", "_rate", "_tokens")

    def __init__(self, most: float, rate: float, now: float) -> None:
        self._most = most
        self._rate = rate
        self._tokens = most
        self._at = now

    def left(self, now: float) -> float:
        """Tokens in it."""
        return min(self._most, self._tokens + (now - self._at) * self._rate)

    def take(self, now: float) -> bool:
        """One token, if there is one."""
        tokens = self._tokens + (now - self._at) * self._rate
        if tokens > self._most:
            tokens = self._most
        self._at = now
        if tokens < 1:
            self._tokens = tokens
            return False
        self._tokens = tokens - 1
        return True

    def change(self, most: float, rate: float, now: float) -> None:
        """Other limits from now on; what is in it stays, as far as it may."""
        self._tokens = min(self.left(now), most)
        self._most, self._rate, self._at = most, rate, now

    def is_full(self, now: float) -> bool:
        """As good as new."""
        return self.left(now) >= self._most


class TokenBuckets(Generic[K]):
    """One bucket for each key, all alike. A full one isn't kept for long: who comes again gets a new one."""

    def __init__(self, most: float, rate: float) -> None:
        self._most = most
        self._rate = rate
        self._buckets: dict[K, TokenBucket] = {}
        self._enough = _MANY

    def __len__(self) -> int:
        return len(self._buckets)

    def left(self, key: K, now: float) -> float:
        bucket = self._buckets.get(key)
        return self._most if bucket is None else bucket.left(now)

    def take(self, key: K, now: float) -> bool:
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= self._enough:
                self._drop_full(now)
            bucket = self._buckets[key] = TokenBucket(self._most, self._rate, now)
        return bucket.take(now)

    def _drop_full(self, now: float) -> None:
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if not bucket.is_full(now)}
        self._enough = max(_MANY, 2 * len(self._buckets))
