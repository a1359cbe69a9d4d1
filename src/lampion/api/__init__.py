"""AWS Lambda's control and invoke API: one file per noun, translation only; no rules, no SQL."""
