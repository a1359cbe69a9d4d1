"""An invocation from admission to outcome. Knows no HTTP and no SQL."""
