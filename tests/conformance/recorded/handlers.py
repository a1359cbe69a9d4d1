"""The functions that the asked cases deploy, written after what their answers show."""

import io
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path


def package(files: Mapping[str, str | bytes], executable: Collection[str] = ()) -> bytes:
    """A deployment package, with the execute bit where it is wanted."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, date_time=(2024, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if name in executable else 0o644) << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


NOTHING = """
def handler(event, context):
    return {}
"""

_PROGRAM = (Path(__file__).parents[1] / "streaming_program.py").read_text(encoding="utf-8")

STREAMS = package(
    {
        "program.py": _PROGRAM.replace("json.loads(event)", "json.loads(json.loads(event)['body'])"),
        "wrapper": '#!/bin/sh\nexec "$1" /var/task/program.py\n',
    },
    executable={"wrapper"},
)
"""A program that streams what the body of a request to its URL says."""

HI = """
def handler(event, context):
    return {"statusCode": 200, "body": "hi"}
"""

HTTP_ECHO = """
def handler(event, context):
    request = event["requestContext"]
    return {
        "args": event.get("queryStringParameters", {}),
        "data": event.get("body", ""),
        "domain": request["domainName"],
        "headers": {name: value for name, value in event["headers"].items() if not name.startswith("x-")},
        "method": request["http"]["method"],
        "origin": request["http"]["sourceIp"],
        "path": request["http"]["path"],
    }
"""

VERSIONED = """
def handler(event, context):
    return {
        "version_id": "versionNUMBER",
        "invoked_arn": context.invoked_function_arn,
        "version_from_ctx": context.function_version,
    }
"""

ECHO = """
def handler(event, context):
    return event
"""

COUNT = """
counter = 0

def handler(event, context):
    global counter
    result = {"counter": counter}
    counter += 1
    return result
"""

SLEEP = """
import time

def handler(event, context):
    time.sleep(event["seconds"])
"""

RAISE = """
def handler(event, context):
    raise Exception("Failed: " + event["error_msg"])
"""

INTROSPECTION = """
import os

def handler(event, context):
    return {
        "ctx": {
            "aws_request_id": context.aws_request_id,
            "function_name": context.function_name,
            "function_version": context.function_version,
            "invoked_function_arn": context.invoked_function_arn,
            "log_group_name": context.log_group_name,
            "log_stream_name": context.log_stream_name,
            "memory_limit_in_mb": context.memory_limit_in_mb,
            "remaining_time_in_millis": context.get_remaining_time_in_millis(),
        },
        "environment": dict(os.environ),
        "packages": [],  # the recording shows none
    }
"""

CUSTOM_RUNTIME = package(
    {"bootstrap": (Path(__file__).parents[1] / "custom_runtimes/bootstrap.py").read_text(encoding="utf-8")},
    executable={"bootstrap"},
)
"""What AWS was recorded with had no file for its handler `function.handler` either."""

INIT_ENVIRONMENT = """
import os

environment = dict(os.environ)

def handler(event, context):
    return {"environment": environment}
"""

WRAPPER = """#!/bin/bash
export WRAPPED_BY="the wrapper"
exec "$@"
"""

WRAPPED = """
import os

def handler(event, context):
    return {name: os.environ[name] for name in ("WRAPPED_BY", "_HANDLER")}
"""

LIMITS = """
import resource

NAMES = ("AS", "CORE", "CPU", "DATA", "FSIZE", "MEMLOCK", "NOFILE", "NPROC", "RSS", "STACK")

def handler(event, context):
    return {f"RLIMIT_{name}": resource.getrlimit(getattr(resource, f"RLIMIT_{name}")) for name in NAMES}
"""

LOOK_AROUND = """
import getpass
import platform
import stat
import subprocess
from pathlib import Path

def handler(event, context):
    paths = {}
    for path in map(Path, ("/var/task", "/opt", "/tmp", "/lambda-entrypoint.sh")):
        found = path.stat() if path.exists() else None
        name = str(path).replace("/", "_")
        paths[f"{name}_mode"] = found and stat.filemode(found.st_mode)
        paths[f"{name}_uid"] = found and found.st_uid
        paths[f"{name}_owner"] = found and path.owner()
        paths[f"{name}_gid"] = found and found.st_gid
    return {
        "event": event,
        "user_login_name": getpass.getuser(),
        "user_whoami": subprocess.run(["whoami"], capture_output=True, text=True).stdout.strip(),
        "platform_system": platform.system(),
        "platform_machine": platform.machine(),
        "pwd": subprocess.run(["pwd"], capture_output=True, text=True).stdout.strip(),
        "paths": paths,
    }
"""

VERSION = """
import sys

def handler(event, context):
    return {"version": "python%d.%d" % sys.version_info[:2]}
"""

LARGE_ANSWER = """
def handler(event, context):
    return "x" * (event["bytes"] - 2)
"""

NODEJS_ECHO = """
exports.handler = async (event) => event;
"""

NODEJS_COUNT = """
let counter = 0;

exports.handler = async () => ({ counter: counter++ });
"""

NODEJS_THROW = """
exports.handler = async (event) => {
  throw new Error(`Error: ${event.error_msg}`);
};
"""

NODEJS_INTROSPECTION = """
exports.handler = async (event, context) => ({
  ctx: {
    aws_request_id: context.awsRequestId,
    function_name: context.functionName,
    function_version: context.functionVersion,
    invoked_function_arn: context.invokedFunctionArn,
    log_group_name: context.logGroupName,
    log_stream_name: context.logStreamName,
    remaining_time_in_millis: context.getRemainingTimeInMillis(),
  },
  environment: process.env,
  packages: [], // the recording shows none
});
"""

NODEJS_WRAPPED = """
exports.handler = async () => ({ WRAPPED_BY: process.env.WRAPPED_BY, _HANDLER: process.env._HANDLER });
"""

RUBY_ECHO = """
def handler(event:, context:)
  event
end
"""

RUBY_RAISE = """
def handler(event:, context:)
  raise "Error: #{event["error_msg"]}"
end
"""

RUBY_INTROSPECTION = """
def handler(event:, context:)
  {
    ctx: {
      aws_request_id: context.aws_request_id,
      function_name: context.function_name,
      function_version: context.function_version,
      invoked_function_arn: context.invoked_function_arn,
      log_group_name: context.log_group_name,
      log_stream_name: context.log_stream_name,
      memory_limit_in_mb: context.memory_limit_in_mb,
      remaining_time_in_millis: context.get_remaining_time_in_millis,
    },
    environment: ENV.to_h,
    packages: [], # the recording shows none
  }
end
"""

RUBY_WRAPPED = """
def handler(event:, context:)
  ENV.slice("WRAPPED_BY", "_HANDLER")
end
"""
