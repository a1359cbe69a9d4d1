"""Measures Lampion beside its peers and its floors, in one run. Not a test: nothing is asserted."""
