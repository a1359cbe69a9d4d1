"""AWS's neighbouring services that are part of Lambda's own life, each with its API: a room, or a file, for each."""
