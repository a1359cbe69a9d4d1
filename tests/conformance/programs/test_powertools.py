"""Programs on Powertools for AWS Lambda (Python), used as its documentation shows; the library is unmodified."""

import base64
import json
from typing import Any

import pytest

from tests.conformance.function_urls.visiting import public_url, visit
from tests.deployment import Functions
from tests.live_server import LiveServer

ROOM: dict[str, Any] = {"MemorySize": 1024, "Timeout": 60}
VARIABLES = {"POWERTOOLS_SERVICE_NAME": "todo", "POWERTOOLS_METRICS_NAMESPACE": "Shop", "POWERTOOLS_LOG_LEVEL": "INFO"}

API = """
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, LambdaFunctionUrlResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, Field

logger, metrics, tracer = Logger(), Metrics(), Tracer()
app = RESOLVER(enable_validation=True)
todos = {}

class Todo(BaseModel):
    title: str = Field(min_length=1)
    done: bool = False

@app.get("/todos/<number>")
@tracer.capture_method
def get_todo(number: int) -> Todo:
    if number not in todos:
        raise NotFoundError(f"no todo {number}")
    return todos[number]

@app.post("/todos")
@tracer.capture_method
def create_todo(todo: Todo) -> dict:
    number = len(todos) + 1
    todos[number] = todo
    logger.append_keys(number=number)
    logger.info("created")
    metrics.add_metric(name="Created", unit=MetricUnit.Count, value=1)
    return {"number": number}

@app.get("/picture")
def picture():
    return Response(status_code=200, content_type="image/png", body=b"\\x89PNG\\xff", headers={"X-Size": "5"})

@app.get("/fails")
def fails():
    raise ValueError("boom")

@app.exception_handler(ValueError)
def refuse(error: ValueError):
    logger.exception("refused")
    return Response(status_code=418, content_type="text/plain", body=str(error))

@logger.inject_lambda_context(correlation_id_path=PATHS, clear_state=True)
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict, context: LambdaContext) -> dict:
    return app.resolve(event, context)
"""
BY_URL = API.replace("RESOLVER", "LambdaFunctionUrlResolver").replace("PATHS", "correlation_paths.LAMBDA_FUNCTION_URL")
BY_GATEWAY = API.replace("RESOLVER", "APIGatewayHttpResolver").replace("PATHS", "correlation_paths.API_GATEWAY_HTTP")

BATCH = """
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

processor, logger = BatchProcessor(event_type=EventType.SQS), Logger(service="batch")

def keep(record: SQSRecord):
    logger.info(record.json_body["item"])

def handler(event, context):
    return process_partial_response(event=event, record_handler=keep, processor=processor, context=context)
"""

ONCE = """
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError, IdempotencyItemNotFoundError, IdempotencyKeyError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer

class InMemory(BasePersistenceLayer):
    def __init__(self):
        self.records = {}
        super().__init__()

    def _get_record(self, idempotency_key):
        try:
            return self.records[idempotency_key]
        except KeyError:
            raise IdempotencyItemNotFoundError from None

    def _put_record(self, data_record):
        known = self.records.get(data_record.idempotency_key)
        if known is not None and not known.is_expired:
            raise IdempotencyItemAlreadyExistsError
        self.records[data_record.idempotency_key] = data_record

    def _update_record(self, data_record):
        self.records[data_record.idempotency_key] = data_record

    def _delete_record(self, data_record):
        self.records.pop(data_record.idempotency_key, None)

config = IdempotencyConfig(event_key_jmespath="order", raise_on_no_idempotency_key=True)
runs = 0

@idempotent(persistence_store=InMemory(), config=config)
def handler(event, context):
    global runs
    runs += 1
    if event.get("fails"):
        raise RuntimeError("not this time")
    return {"order": event["order"], "runs": runs, "memory": context.memory_limit_in_mb}
"""

PARSER = """
from typing import List
from aws_lambda_powertools.utilities.parameters import BaseProvider
from aws_lambda_powertools.utilities.parser import BaseModel, ValidationError, envelopes, event_parser

class Order(BaseModel):
    item: str
    count: int

class Cellar(BaseProvider):
    calls = 0

    def _get(self, name, **options):
        Cellar.calls += 1
        return '{"limit": 3}'

    def _get_multiple(self, path, **options):
        return {"a": "1"}

cellar = Cellar()

@event_parser(model=Order, envelope=envelopes.ApiGatewayV2Envelope)
def parsed(event: Order, context):
    limit = cellar.get("limits", transform="json", max_age=60)["limit"]
    return {"takes": min(event.count, limit), "item": event.item, "calls": cellar.calls}

def handler(event, context):
    try:
        return parsed(event, context)
    except ValidationError as error:
        return {"wrong": [".".join(map(str, one["loc"])) for one in error.errors()]}
"""


def sqs_event(*bodies: str) -> dict[str, Any]:
    """As the developer guide shows it."""
    return {
        "Records": [
            {
                "messageId": f"00000000-0000-0000-0000-{number:012}",
                "receiptHandle": "handle",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1545082649183",
                    "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                    "ApproximateFirstReceiveTimestamp": "1545082649185",
                },
                "messageAttributes": {},
                "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:my-queue",
                "awsRegion": "us-east-1",
            }
            for number, body in enumerate(bodies)
        ]
    }


def gateway_event(method: str, path: str, body: str | None = None) -> dict[str, Any]:
    """What API Gateway sends for an HTTP API, payload format 2.0."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "api.example", "x-forwarded-proto": "https"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api-id",
            "domainName": "id.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "id",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "agent",
            },
            "requestId": "gateway-request",
            "routeKey": "$default",
            "stage": "$default",
            "time": "12/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1583348638390,
        },
        "body": body,
        "isBase64Encoded": False,
    }


def invoke(client: Any, name: str, event: Any) -> tuple[Any, list[Any], str | None]:
    """The answer, the JSON lines of the log's last 4 KiB, FunctionError."""
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
    log = base64.b64decode(answer["LogResult"]).decode().splitlines()
    lines = [json.loads(line) for line in log if line.startswith("{")]
    return json.load(answer["Payload"]), lines, answer.get("FunctionError")


@pytest.fixture
def deploy(make: Functions, libraries: str) -> Any:
    def deployed(source: str, **variables: str) -> str:
        environment = {"Variables": VARIABLES | variables}
        return make({"index.py": source}, Layers=[libraries], Environment=environment, **ROOM)

    return deployed


def test_an_api_by_function_url(sdk_server: LiveServer, client: Any, deploy: Any) -> None:
    url = public_url(client, deploy(BY_URL))
    json_type = {"Content-Type": "application/json"}
    created = visit(sdk_server, url, "POST", "todos", headers=json_type, body='{"title": "bread"}')
    assert (created.status, created.json) == (200, {"number": 1})
    found = visit(sdk_server, url, "GET", "todos/1")
    assert (found.status, found["content-type"], found.json) == (
        200,
        "application/json",
        {"title": "bread", "done": False},
    )
    picture = visit(sdk_server, url, "GET", "picture")
    assert (picture.body, picture["content-type"], picture["x-size"]) == (b"\x89PNG\xff", "image/png", "5")
    assert visit(sdk_server, url, "GET", "todos/2").status == 404
    assert visit(sdk_server, url, "GET", "todos/x").status == 422
    assert visit(sdk_server, url, "POST", "todos", headers=json_type, body='{"title": ""}').status == 422
    assert visit(sdk_server, url, "POST", "todos", headers=json_type, body="{").status == 422
    assert visit(sdk_server, url, "GET", "nowhere").status == 404
    failed = visit(sdk_server, url, "GET", "fails")
    assert (failed.status, failed.body) == (418, b"boom")


def test_an_api_by_the_events_of_api_gateway_with_its_log_and_metrics(client: Any, deploy: Any) -> None:
    name = deploy(BY_GATEWAY)
    answer, lines, error = invoke(client, name, gateway_event("POST", "/todos", '{"title": "bread"}'))
    assert (error, answer["statusCode"], json.loads(answer["body"])) == (None, 200, {"number": 1})
    [logged] = [line for line in lines if line.get("message") == "created"]
    assert logged["level"] == "INFO"
    assert (logged["service"], logged["function_name"], logged["cold_start"]) == ("todo", name, True)
    assert (logged["correlation_id"], logged["number"]) == ("gateway-request", 1)
    assert logged["function_memory_size"] in (1024, "1024")
    metrics = {line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"]: line for line in lines if "_aws" in line}
    assert metrics.keys() == {"ColdStart", "Created"}
    assert metrics["Created"]["Created"] == [1.0]
    assert metrics["Created"]["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Shop"
    _, lines, _ = invoke(client, name, gateway_event("GET", "/todos/1"))
    assert not any("ColdStart" in line for line in lines)
    answer, _, error = invoke(client, name, gateway_event("GET", "/todos/7"))
    assert (error, answer["statusCode"]) == (None, 404)
    answer, _, error = invoke(client, name, gateway_event("GET", "/fails"))
    assert (error, answer["statusCode"], answer["body"]) == (None, 418, "boom")
    answer, _, error = invoke(client, name, {"version": "2.0"})
    assert error == "Unhandled"
    assert answer["errorType"] == "KeyError"


def test_what_of_a_batch_fails_is_named(client: Any, deploy: Any) -> None:
    name = deploy(BATCH)
    good, bad = '{"item": "bread"}', "{"
    answer, lines, error = invoke(client, name, sqs_event(good, bad, good))
    assert (error, answer) == (None, {"batchItemFailures": [{"itemIdentifier": f"00000000-0000-0000-0000-{1:012}"}]})
    assert [line["message"] for line in lines if line.get("message") == "bread"] == ["bread", "bread"]
    answer, _, error = invoke(client, name, sqs_event(bad))
    assert (error, answer["errorType"]) == ("Unhandled", "BatchProcessingError")


def test_an_order_is_worked_on_once(client: Any, deploy: Any) -> None:
    name = deploy(ONCE)
    first = {"order": 7, "runs": 1, "memory": 1024}
    answers = [invoke(client, name, {"order": 7, "try": number}) for number in range(3)]
    assert [(answer | {"memory": int(answer["memory"])}, error) for answer, _, error in answers] == [(first, None)] * 3
    answer, _, error = invoke(client, name, {"order": 8, "fails": True})
    assert (error, answer["errorType"]) == ("Unhandled", "RuntimeError")
    assert invoke(client, name, {"order": 8})[0]["runs"] == 3
    answer, _, error = invoke(client, name, {"try": 1})
    assert (error, answer["errorType"]) == ("Unhandled", "IdempotencyKeyError")


def test_events_are_parsed_and_parameters_are_kept(client: Any, deploy: Any) -> None:
    name = deploy(PARSER)
    for _ in range(2):
        answer, _, error = invoke(client, name, gateway_event("POST", "/", '{"item": "bread", "count": 5}'))
        assert (error, answer) == (None, {"takes": 3, "item": "bread", "calls": 1})
    answer, _, error = invoke(client, name, gateway_event("POST", "/", '{"item": "bread", "count": "x"}'))
    assert (error, answer) == (None, {"wrong": ["count"]})
    answer, _, error = invoke(client, name, {"version": "2.0", "body": "{}"})
    assert error is None
    assert "requestContext" in answer["wrong"]
