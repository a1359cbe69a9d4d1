"""The core under a virtual clock and a seed: the same seed does the same again, whatever the machine does meanwhile."""
