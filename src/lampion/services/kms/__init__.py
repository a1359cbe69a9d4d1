"""Key Management Service: keys, aliases, grants. It keeps and shows them; `identity` uses them and asks who may."""
