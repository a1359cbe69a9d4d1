"""The door of function URLs: HTTP becomes events, what functions answer becomes HTTP. Knows no SQL and no sandbox."""
