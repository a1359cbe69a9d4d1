"""How many invocations run at once in an account, and the refusal beyond the limit."""

from types import TracebackType

from lampion.domain.errors import TooManyRequestsException


class Concurrency:
    """The account's concurrent executions. `async with concurrency.admit(account_id):` holds one of them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._running: dict[str, int] = {}

    def running(self, account_id: str) -> int:
        """Invocations of the account that are in progress."""
        return self._running.get(account_id, 0)

    def admit(self, account_id: str) -> "Admission":
        """One concurrent execution; entering raises TooManyRequestsException when none is left."""
        return Admission(self, account_id)

    def take(self, account_id: str) -> None:
        running = self._running.get(account_id, 0)
        if running >= self._limit:
            raise TooManyRequestsException("Rate Exceeded.", Reason="ConcurrentInvocationLimitExceeded")
        self._running[account_id] = running + 1

    def release(self, account_id: str) -> None:
        running = self._running[account_id] - 1
        if running:
            self._running[account_id] = running
        else:
            del self._running[account_id]


class Admission:
    """The context manager of `Concurrency.admit`."""

    __slots__ = ("_account_id", "_concurrency")

    def __init__(self, concurrency: Concurrency, account_id: str) -> None:
        self._concurrency = concurrency
        self._account_id = account_id

    async def __aenter__(self) -> None:
        self._concurrency.take(self._account_id)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._concurrency.release(self._account_id)
