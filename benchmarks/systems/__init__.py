"""One module per measured system: how to start it, when it is ready, how it ends. They know nothing of workloads."""
