"""Ports for time and randomness, so that the core runs under a virtual clock and a seed."""
