"""The Python runtime: loads the handler, then answers one invocation after another over the Runtime API.

Started as `python -S /var/runtime/bootstrap.py`; with `--zygote` it waits to be copied (_lampion_waiting). It behaves as AWS's own runtime client does, down to texts and stack
traces, so the functions that show up in a function's stack trace bear the names that they have there.
What only failures need is imported when they happen: every import here is part of each cold start.
"""

import importlib
import os
import sys

import _lampion_imports as imports
import _lampion_json as codec
import _lampion_logs as logs
import _lampion_process as process
from _lampion_client import ConnectionEnded, RuntimeClient
from _lampion_context import LambdaContext

if False:  # for type checkers only: the module `typing` is never loaded
    from typing import Any, Callable, List, Optional

    from _lampion_client import Event
    from _lampion_logs import LogSink


class Fault(Exception):
    """A failure that the runtime itself detects and names; `trace` replaces the stack trace."""

    def __init__(self, error_type: str, message: str, trace: "Optional[List[str]]" = None) -> None:
        self.error_type = error_type
        self.message = message
        self.trace = trace


def get_handler(handler: str) -> "Callable[..., Any]":
    """The function that `handler` names, as `module.function` or `directory/module.function`. Raises Fault."""
    try:
        module_name, function_name = handler.rsplit(".", 1)
    except ValueError as error:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{handler}': {error}") from None
    try:
        if module_name.split(".")[0] in sys.builtin_module_names:
            message = f"Cannot use built-in module {module_name} as a handler module"
            raise Fault("Runtime.BuiltInModuleConflict", message)
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from None
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        raise Fault("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}", trace) from None
    try:
        return getattr(module, function_name)
    except AttributeError:
        raise Fault("Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'") from None


def read_context(request: "Event") -> LambdaContext:
    """The handler's second argument. Raises Fault when the caller's part of it can't be read."""
    name = "Client Context"
    try:
        client_context = codec.loads(request.client_context.encode()) if request.client_context else None
        name = "Cognito Identity"
        identity = codec.loads(request.cognito_identity.encode()) if request.cognito_identity else None
    except Exception as error:
        raise Fault("Runtime.LambdaContextUnmarshalError", f"Unable to parse {name} JSON: {error}") from None
    return LambdaContext(request, client_context, identity)


def read_event(request: "Event") -> "Any":
    """The handler's first argument: JSON as Python values, anything else as bytes. Raises Fault."""
    if request.content_type != "application/json":
        return request.body
    try:
        return codec.loads(request.body)
    except Exception as error:
        raise Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from None


def write_response(response: "Any") -> "Any":
    """What the handler returned, as bytes or JSON text, and its content type. Raises Fault."""
    if isinstance(response, bytes):
        return response, "application/unknown"
    try:
        return codec.dumps(response), "application/json"
    except Exception as error:
        raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from None


def handle_event_request(
    client: RuntimeClient, request_handler: "Callable[..., Any]", request: "Event", sink: "LogSink"
) -> "Event":
    """Run the handler once, post how it ended, and wait for the next invocation."""
    try:
        lambda_context = read_context(request)
        event = read_event(request)
        response = request_handler(event, lambda_context)
        body, content_type = write_response(response)
    except Exception as error:
        import _lampion_errors as errors

        result, cause = errors.describe(error, request.request_id)
        errors.log(result, sink)
        return client.fail(request, errors.to_bytes(result), result["errorType"], errors.to_header(cause))
    return client.respond(request, body if isinstance(body, bytes) else body.encode(), content_type)


def load(handler: str, client: RuntimeClient, sink: "LogSink") -> "Callable[..., Any]":
    """The handler; when that fails, the failure is logged and posted, and the process ends."""
    try:
        return get_handler(handler)
    except Exception as error:
        import _lampion_errors as errors

        result, _ = errors.describe(error, None)
        errors.warn_of_failed_init()
        errors.log(result, sink)
        client.fail_init(errors.to_bytes(result), result["errorType"])
        sys.exit(1)


def serve(handler: str, client: RuntimeClient, sink: "LogSink") -> None:
    """Init, then invocations for as long as there are any."""
    request_handler = load(handler, client, sink)
    environ = os.environ
    LambdaContext.configure(environ)
    request = client.next()
    while True:
        logs.request_id = request.request_id
        logs.tenant_id = request.tenant_id
        if request.trace_id is None:
            environ.pop("_X_AMZN_TRACE_ID", None)
        else:
            environ["_X_AMZN_TRACE_ID"] = request.trace_id
        request = handle_event_request(client, request_handler, request, sink)


def main() -> None:
    """Prepare the process and serve until the Runtime API is gone."""
    environ = os.environ
    runtime_directory = os.path.dirname(os.path.abspath(__file__))
    process.honour_exec_wrapper(environ, __file__)
    try:
        client = RuntimeClient(environ["AWS_LAMBDA_RUNTIME_API"])
        process.complete_builtins()
        process.unbuffer_output()
        with logs.open_sink(environ) as sink:
            prepare_imports(runtime_directory)
            serve(environ.get("_HANDLER", ""), client, sink)
    except ConnectionEnded:
        sys.exit(0)


def prepare_imports(runtime_directory: str) -> None:
    """Make modules found as on AWS; whoever first imports `logging` gets it with the root handler in place."""
    sys.meta_path.insert(0, imports.StandardModules(lambda: logs.install_handler(os.environ)))
    imports.arrange_path(os.environ, runtime_directory)
    if "logging" in sys.modules:
        logs.install_handler(os.environ)
    imports.run_sitecustomize(os.environ, runtime_directory)


if __name__ == "__main__":
    if sys.argv[1:] == ["--zygote"]:
        import _lampion_waiting as waiting

        sys.argv.pop()
        waiting.become_copy()
    main()
