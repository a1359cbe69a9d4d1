"""What extensions are told of their function as it happens: who has subscribed, to what, and how it gets there.

It knows no function, no environment and no sandbox: what happens is told to it, and connections are made for it.
"""
