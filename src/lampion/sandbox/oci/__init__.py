"""Sandboxes through an OCI runtime: what it is told (pure), and the program that runs it. Knows no event loop."""
