"""Identity with a service elsewhere."""
