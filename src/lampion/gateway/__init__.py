"""One port for every door: which door serves a request, who sent it, how much body it may bring."""
