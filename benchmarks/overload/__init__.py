"""Three times as many requests as can be served: what comes through, what is refused, and how it is afterwards."""
