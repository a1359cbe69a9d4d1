"""What must survive a restart, per concept: protocols, SQLite and an in-memory twin. Knows no rules of Lambda."""
