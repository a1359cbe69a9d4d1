"""What all loads send."""

from collections.abc import Mapping
from typing import Protocol


class Post(Protocol):
    """A request to send."""

    @property
    def url(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...
