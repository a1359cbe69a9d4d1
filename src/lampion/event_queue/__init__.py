"""Durable queues: what was accepted is on disk, is handed out when it is due, and ends once. Knows no functions."""
