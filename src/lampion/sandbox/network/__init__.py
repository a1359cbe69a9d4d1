"""Networks of sandboxes beyond their own loopback. Knows no function and no process of a sandbox."""
