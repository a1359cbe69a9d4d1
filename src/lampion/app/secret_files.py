"""Files of others that hold secrets of this server: those that more than their owner can read are told of."""

from collections.abc import Sequence
from pathlib import Path

from lampion.config import Settings


def open_secret_files(settings: Settings) -> Sequence[Path]:
    """Those of the settings that others of this machine can read. Lampion's own are private from their making on."""
    has_keys = any(endpoint.credentials is not None for endpoint in settings.endpoints.of_service.values())
    named = (settings.tls_key, settings.image_logins, settings.config if has_keys else None)
    return [path for path in named if path is not None and _is_open(path)]


def _is_open(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & 0o077)
    except OSError:
        return False
