"""The Security Token Service: who one is."""
