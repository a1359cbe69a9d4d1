"""Execution environments: the lifecycle of one, and the pool that hands them to invocations."""
