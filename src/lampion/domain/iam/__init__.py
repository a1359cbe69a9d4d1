"""IAM's users, groups, roles and policies, and the rules that they keep. Pure."""
