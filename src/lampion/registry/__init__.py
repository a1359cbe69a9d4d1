"""The built-in registry of container images: the OCI distribution API that clients push to, and ECR's API around it."""
