"""Isolated processes with limits: how they start, what they may use, how they end. Knows nothing of functions."""
