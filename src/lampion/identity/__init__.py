"""Who may do what: keys and what they may sign. Below code, sandbox and queue; above the store."""
