"""The logs of functions: append, index, read, rotate. Knows nothing of runtimes or of CloudWatch's API."""
