"""Frozen values and the rules over them. Knows nothing of storage, event loops, HTTP or processes."""
