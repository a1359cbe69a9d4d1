"""One file per kind of sandbox. Only the composition root picks one."""
