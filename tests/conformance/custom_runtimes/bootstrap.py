#!/usr/bin/python3
"""A custom runtime in Python. It does what the one did that AWS was recorded with, which was written in Rust."""

import json
import os
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

RUNTIME = "/2018-06-01/runtime/invocation"
ERROR_TYPE = "&alloc::boxed::Box<dyn core::error::Error + core::marker::Send + core::marker::Sync>"


def answer_to(event, head: HTTPResponse) -> object:
    if isinstance(event, dict) and "error_msg" in event:
        raise ValueError(event["error_msg"])
    if os.environ["_HANDLER"] != "function.handler":
        return event
    # What the process was given, without what Python itself adds.
    pairs = Path("/proc/self/environ").read_bytes().split(b"\0")
    given = dict(pair.decode().split("=", 1) for pair in pairs if pair)
    return {
        "environment": {**given, "_X_AMZN_TRACE_ID": head.headers["Lambda-Runtime-Trace-Id"]},
        "ctx": {
            "aws_request_id": head.headers["Lambda-Runtime-Aws-Request-Id"],
            "deadline": int(head.headers["Lambda-Runtime-Deadline-Ms"]),
            "function_name": given["AWS_LAMBDA_FUNCTION_NAME"],
            "function_version": given["AWS_LAMBDA_FUNCTION_VERSION"],
            "invoked_function_arn": head.headers["Lambda-Runtime-Invoked-Function-Arn"],
            "log_group_name": given["AWS_LAMBDA_LOG_GROUP_NAME"],
            "log_stream_name": given["AWS_LAMBDA_LOG_STREAM_NAME"],
            "memory_limit_in_mb": int(given["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]),
        },
        "packages": [],
    }


def main() -> None:
    server = HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        server.request("GET", f"{RUNTIME}/next")
        head = server.getresponse()
        event = json.loads(head.read())
        request = f"{RUNTIME}/{head.headers['Lambda-Runtime-Aws-Request-Id']}"
        try:
            body, kind = answer_to(event, head), "response"
        except ValueError as error:
            body, kind = {"errorType": ERROR_TYPE, "errorMessage": f'Error: "{error}"'}, "error"
        server.request(
            "POST", f"{request}/{kind}", json.dumps(body), {"Lambda-Runtime-Function-Error-Type": ERROR_TYPE}
        )
        server.getresponse().read()


if __name__ == "__main__":
    main()
