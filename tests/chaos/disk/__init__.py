"""A disk under test: counts, records, delays and refuses what SQLite asks of it. See shim.c."""
