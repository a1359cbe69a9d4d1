"""Rules of KMS."""
