"""kill -9 under a load of event invocations: what was accepted ends, and ends once."""
