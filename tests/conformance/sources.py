"""Handlers that the client tests deploy: each shows one thing that a client must be able to see."""

ECHO = """
def handler(event, context):
    print("heard", event)
    return {"heard": event}
"""

GREET = """
def handler(event, context):
    return {"greeting": "hello " + event["name"]}
"""

FAIL = """
def handler(event, context):
    raise ValueError("no such luck")
"""

TELL_CONTEXT = """
import os

def handler(event, context):
    client = context.client_context
    return {
        "custom": client.custom if client else None,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "version": context.function_version,
        "request_id": context.aws_request_id,
        "colour": os.environ.get("COLOUR"),
    }
"""
