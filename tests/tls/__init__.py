"""Certificates for tests; see README.md."""

from pathlib import Path

_HERE = Path(__file__).parent
CERTIFICATE, KEY = _HERE / "server.pem", _HERE / "server.key"
OTHER_KEY, LOCKED_KEY = _HERE / "other.key", _HERE / "locked.key"
