"""KMS with AWS's own client."""
