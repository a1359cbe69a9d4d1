"""Keys of the Key Management Service, their aliases and grants: plain data and rules."""
