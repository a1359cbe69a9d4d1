"""Deployment packages and runtimes: what may be in a zip, where blobs live, which interpreters there are."""
