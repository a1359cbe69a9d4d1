"""The C program that makes one sandbox: its build, and how it is started and spoken with."""
