"""Read-only views of live state that no AWS API shows yet."""
