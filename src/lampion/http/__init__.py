"""A lean HTTP/1.1 server for the hot doors. Knows nothing of AWS or of functions."""
