"""Lampion: AWS Lambda that you own. Rooms and import rules: docs/architecture.md."""

__version__ = "0.1.0"
