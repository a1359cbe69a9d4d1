"""What functions talk to: Lambda's Runtime API (2018-06-01) inside each sandbox."""
