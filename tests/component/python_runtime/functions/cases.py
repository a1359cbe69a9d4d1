"""Handlers that answer, fail or log in every way that a runtime has to get right; `run` picks one by the event.

Runs under every interpreter from 3.8 on, inside the runtime under test.
"""

# mypy: ignore-errors

import collections
import decimal
import enum
import logging
import os
import sys
import traceback

Point = collections.namedtuple("Point", ["x", "y"])


class Colour(enum.IntEnum):
    RED = 3


class Row:
    def _asdict(self):
        return {"id": 7}


def answer_everything(event, context):
    return {
        "text": 'é "quoted" \u2028\n',
        "numbers": [1, -2.5, 1e100, True, None],
        "empty": [{}, [], ""],
        "event": event,
    }


def answer_type(event, context):
    return repr([type(event), event])


def answer_text(event, context):
    return "plain é"


def answer_none(event, context):
    return None


def answer_bytes(event, context):
    return b"\x00\xffraw"


def answer_not_a_number(event, context):
    return [float("nan"), float("inf"), float("-inf")]


def answer_decimals(event, context):
    return {"price": decimal.Decimal("1.10"), "big": decimal.Decimal("1E+5"), "nan": decimal.Decimal("NaN")}


def answer_infinite_decimal(event, context):
    return [decimal.Decimal("Infinity"), decimal.Decimal("-Infinity")]


def answer_named_tuple(event, context):
    return {"point": Point(1, [Point(2, 3)]), "row": Row(), "plain": (1, 2)}


def answer_inner_bytes(event, context):
    return {"a": b"text", b"key": 1}


def answer_subclasses(event, context):
    ordered = collections.OrderedDict([("b", 1), ("a", Colour.RED)])
    return [ordered, collections.defaultdict(list), Colour.RED, {Colour.RED: 1}, type("Text", (str,), {})("x")]


def answer_odd_keys(event, context):
    return {1: "int", 2.5: "float", False: "bool", None: "none", float("nan"): "nan"}


def answer_marshal_error_set(event, context):
    return {"a": {1, 2}}


def answer_marshal_error_key(event, context):
    return {(1, 2): 3}


def answer_marshal_error_object(event, context):
    return [{"deep": [object()]}]


def answer_marshal_error_bytes(event, context):
    return [b"\xff"]


def answer_circular(event, context):
    ring = []
    ring.append({"again": ring})
    return ring


def answer_circular_named(event, context):
    ring = []
    ring.append(Point(ring, 1))
    return ring


def answer_too_deep(event, context):
    deep = []
    for _ in range(100_000):
        deep = [deep]
    return deep


def answer_wide(event, context):
    return [{"id": number, "tags": ["a", "b"], "at": (number, 0.5)} for number in range(300)]


def fail_value_error(event, context):
    raise ValueError("boom é\nsecond line")


def fail_nested(event, context):
    def inner():
        try:
            {}["missing"]
        except KeyError as error:
            raise RuntimeError("outer") from error

    inner()


def fail_without_message(event, context):
    raise ValueError


def fail_in_library(event, context):
    return decimal.Decimal("no number")


def fail_own_class(event, context):
    class CustomError(Exception):
        error_type = "not the runtime's"

    raise CustomError("mine")


def fail_without_parameters():
    """Called with two arguments all the same."""


def show_context(event, context):
    return {
        "repr": repr(context),
        "identity": repr(context.identity),
        "members": {
            name: value for name, value in sorted(vars(context).items()) if isinstance(value, (str, type(None)))
        },
        "has_request_id": hasattr(context, "request_id"),
        "attributes": [name for name in vars(context) if not name.startswith("_")],
        "remaining": context.get_remaining_time_in_millis() > 10**9,
        "w3c": context.w3c(),
        "trace": os.environ.get("_X_AMZN_TRACE_ID"),
        "telemetry": os.environ.get("_LAMBDA_TELEMETRY_LOG_FD"),
    }


def write_lines(event, context):
    print("one", 2, "é")
    sys.stdout.write("partial ")
    print("two\nlines")
    print("to stderr", file=sys.stderr)
    context.log("from context\n")
    context.log(["not text"])


def log_records(event, context):
    logger = logging.getLogger("shop.orders")
    logging.getLogger().debug("not shown by default")
    logging.warning("plain %s", "arguments")
    logger.error("several\nlines")
    logger.info("perhaps")
    logger.critical({"structured": True, "at": decimal.Decimal("1.5")})
    logger.warning("extra", extra={"order": 5, "tenant": Row.__name__})
    logger.log(35, "between levels")
    try:
        {}["missing"]
    except KeyError:
        logger.exception("failed")


def log_at_info(event, context):
    logging.getLogger().setLevel(logging.INFO)
    logging.getLogger("a").info("now shown")


def log_without_handler(event, context):
    root = logging.getLogger()
    saved = list(root.handlers)
    root.handlers[:] = []
    context.log("straight to stdout\n")
    root.handlers[:] = saved
    return [type(handler).__name__ for handler in saved]


def log_every_level(event, context):
    logger = logging.getLogger("levels")
    logger.setLevel(1)
    logging.addLevelName(25, "NOTICE")
    for level in (1, 5, 9, 10, 15, 20, 25, 30, 39, 40, 50, 60, 100):
        logger.log(level, "at %d", level)
    logging.addLevelName(25, "Level 25")


def log_exceptions(event, context):
    logger = logging.getLogger("failures")
    try:
        try:
            int("é")
        except ValueError as error:
            raise Colourless("second") from error
    except Colourless as error:
        logger.warning("chained", exc_info=True)
        logger.critical("by itself", exc_info=error)
        logger.error(error)
        logger.error("%s", error, stack_info=False, extra={"errorType": "mine", "stackTrace": 1})
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        logger.error("not an Exception", exc_info=True)


class Colourless(Exception):
    def __str__(self):
        return "no colour:\nline two"


def log_extra(event, context):
    logger = logging.getLogger("extra")
    given = {
        "number": 1.5,
        "nothing": None,
        "false": False,
        "nested": {"list": [1, {"two": 2}], "point": Point(1, 2), "when": decimal.Decimal(1)},
        "odd": Colour.RED,
        "bytes": b"x",
        "text": "é \u2028",
        "timestamp": "mine",
        "level": "mine",
        "logger": "mine",
        "requestId": "mine",
        "location": "mine",
        "errorMessage": "mine",
        "tenantId": "mine",
    }
    logger.warning("with extra", extra=given)
    for message in ({"a": 1}, [1, "two"], ("x",), None, 5, True, b"bytes", {"odd": decimal.Decimal(2)}, ""):
        logger.warning(message)
    logger.warning("%(name)s is named", {"name": "it"})
    logger.warning({"dict": "%s"}, "argument")
    logger.warning("100%")
    logger.warning('tab\tquote" back\\slash cr\rlf\nend')
    logger.warning("x" * 3000)


def log_elsewhere(event, context):
    import io
    import threading
    import warnings

    own = logging.getLogger("own.handler")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    own.addHandler(handler)
    own.propagate = False
    own.error("to its own handler")
    own.removeHandler(handler)
    own.propagate = True
    thread = threading.Thread(target=lambda: logging.warning("from a thread"), name="a thread")
    thread.start()
    thread.join()
    logging.basicConfig(level=logging.DEBUG, format="ignored %(message)s")
    logging.getLogger("after.basicConfig").debug("there is a handler already")
    logging.captureWarnings(True)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn_explicit("take care", UserWarning, "file.py", 1)
    logging.captureWarnings(False)
    print(stream.getvalue(), end="")
    return [type(each).__name__ for each in logging.getLogger().handlers]


def log_with_own_formatter(event, context):
    (handler,) = (each for each in logging.getLogger().handlers if hasattr(each, "log_sink"))
    saved = handler.formatter
    handler.setFormatter(logging.Formatter("own %(levelname)s %(aws_request_id)s: %(message)s"))
    logging.error("formatted by the function")
    handler.setFormatter(saved)


def log_prints(event, context):
    print({"looks": "structured"})
    print('{"is": "json"}')
    print(end="")
    print()
    sys.stderr.write("an error without an end")
    sys.stderr.write("\n")


def format_own_trace(event, context):
    return len(traceback.format_stack()) > 0


def run(event, context):
    return (
        globals()[event["case"]](event, context)
        if event["case"] != "fail_without_parameters"
        else fail_without_parameters(event, context)
    )
