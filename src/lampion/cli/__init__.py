"""The `lampion` command: arguments in, words out. Decides nothing that the server decides."""
