"""What is done to a system: one module per workload. A workload knows no system by name."""
