"""Instruments: wrk for load, /proc for what a system used. They know nothing of the systems they are pointed at."""
