"""The one thing that can go wrong before a service has answered."""


class ServiceUnreachable(Exception):
    """No answer: nowhere to ask, no connection, or nothing came back in time. Asking later may help."""
