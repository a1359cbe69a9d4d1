"""What the invoke path tells of itself."""

from typing import Protocol

from lampion.domain.arn import FunctionKey
from lampion.telemetry.metrics import Count, Measure


class Series(Protocol):
    """Where the metrics of one function, qualifier and version are counted."""

    def count(self, name: Count, by: int = 1) -> None: ...

    def observe(self, name: Measure, value: float) -> None: ...

    def begin(self) -> None: ...

    def end(self) -> None: ...


class Metrics(Protocol):
    """Knows where to count. Asked at every invocation, so it must be quick."""

    def of(self, key: FunctionKey, qualifier: str | None, version: str) -> Series: ...
