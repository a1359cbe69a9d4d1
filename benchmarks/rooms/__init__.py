"""Rooms of Lampion at work without the server around them: where the time of an operation goes."""
