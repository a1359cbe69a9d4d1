"""Container images: their content by digest, and their file systems unpacked, ready to be what a sandbox stands on."""
