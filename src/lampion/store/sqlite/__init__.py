"""The embedded store: SQLite, WAL, synchronous=FULL, one group-commit writer."""
