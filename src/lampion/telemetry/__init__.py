"""Our own logs, metrics and traces; never the functions'."""
