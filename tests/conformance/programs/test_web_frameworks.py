"""A FastAPI app by Mangum and an Express app by serverless-express: called by URL and by API Gateway's events."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.conformance.function_urls.visiting import public_url, visit
from tests.conformance.programs.packages import WEB, nodejs_package, python_package
from tests.conformance.programs.test_powertools import gateway_event
from tests.conformance.test_nodejs import RUNTIME as NODE_RUNTIME
from tests.deployment import ROLE, RUNTIME, unique_name, wait_active
from tests.live_server import LiveServer

FASTAPI = """
from contextlib import asynccontextmanager
from fastapi import FastAPI, HTTPException, Request, Response
from mangum import Mangum
from pydantic import BaseModel

started = []

@asynccontextmanager
async def lifespan(app):
    started.append("started")
    yield

app = FastAPI(lifespan=lifespan)
items = {}

class Item(BaseModel):
    name: str
    price: float

@app.put("/items/{number}", status_code=201)
async def put_item(number: int, item: Item):
    items[number] = item
    return {"number": number, **item.model_dump()}

@app.get("/items/{number}")
def get_item(number: int, verbose: bool = False):
    if number not in items:
        raise HTTPException(404, "no such item")
    return {"item": items[number], "verbose": verbose}

@app.get("/bytes")
async def some_bytes():
    return Response(b"\\x00\\xff", media_type="image/png")

@app.get("/cookies")
async def cookies(request: Request, response: Response):
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return request.cookies

@app.get("/where")
async def where(request: Request):
    scope = request.scope["aws.event"]["requestContext"]
    return {"url": request.url.path, "stage": scope["stage"], "lifespan": started, "client": request.client.host,
            "function": request.scope["aws.context"].function_name}

@app.get("/fails")
async def fails():
    raise RuntimeError("boom")

handler = Mangum(app)
"""
EXPRESS = """
const serverlessExpress = require("@codegenie/serverless-express");
const express = require("express");

const app = express();
const items = new Map();
app.use(express.json());
app.put("/items/:number", (request, response) => {
  if (typeof request.body?.name !== "string") {
    return response.status(422).json({ wrong: "name" });
  }
  items.set(request.params.number, request.body);
  response.status(201).json({ number: Number(request.params.number), ...request.body });
});
app.get("/items/:number", (request, response) => {
  const item = items.get(request.params.number);
  return item ? response.json({ item, verbose: request.query.verbose === "true" }) : response.sendStatus(404);
});
app.get("/bytes", (request, response) => response.type("png").send(Buffer.from([0, 255])));
app.get("/cookies", (request, response) => {
  const sent = Object.fromEntries((request.headers.cookie ?? "").split("; ").map((pair) => pair.split("=")));
  response.cookie("a", "1").cookie("b", "2").json(sent);
});
app.get("/where", (request, response) => {
  const { event, context } = serverlessExpress.getCurrentInvoke();
  response.json({ url: request.path, stage: event.requestContext.stage, lifespan: ["started"],
    client: request.ip, function: context.functionName });
});
app.get("/fails", () => { throw new Error("boom"); });
app.use((request, response) => response.status(404).json({ missing: request.path }));
app.use((error, request, response, next) => response.status(error.status ?? 500).json({ error: error.message }));

exports.handler = serverlessExpress({ app });
"""
"""Express 5 can't end an unread request of serverless-express by itself, so it has handlers for that of its own."""
BUILDS: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "FastAPI": (RUNTIME, lambda: python_package({"index.py": FASTAPI}, WEB)),
    "Express": (NODE_RUNTIME, lambda: nodejs_package("index.js", EXPRESS)),
}
BREAD = json.dumps({"name": "bread", "price": 2.5})
JSON = {"Content-Type": "application/json"}


@pytest.fixture(params=BUILDS)
def app(request: pytest.FixtureRequest, client: Any) -> Any:
    """The name of a function that is the app."""
    runtime, build = BUILDS[request.param]
    name = unique_name(request.param)
    client.create_function(
        FunctionName=name,
        Runtime=runtime,
        Role=ROLE,
        Handler="index.handler",
        Code={"ZipFile": build()},
        MemorySize=1024,
        Timeout=60,
    )
    wait_active(client, name)
    yield name
    client.delete_function(FunctionName=name)


def test_an_app_serves_a_function_url_and_api_gateways_events(sdk_server: LiveServer, client: Any, app: str) -> None:
    url = public_url(client, app)
    put = visit(sdk_server, url, "PUT", "items/3", headers=JSON, body=BREAD)
    assert (put.status, put.json) == (201, {"number": 3, "name": "bread", "price": 2.5})
    assert (put["content-type"] or "").startswith("application/json")
    got = visit(sdk_server, url, "GET", "items/3?verbose=true")
    assert (got.status, got.json) == (200, {"item": {"name": "bread", "price": 2.5}, "verbose": True})
    assert visit(sdk_server, url, "GET", "items/4").status == 404
    assert visit(sdk_server, url, "PUT", "items/3", headers=JSON, body='{"price": 1}').status == 422
    assert visit(sdk_server, url, "PUT", "items/3", headers=JSON, body="{").status in (400, 422)
    assert visit(sdk_server, url, "GET", "nowhere").status == 404

    picture = visit(sdk_server, url, "GET", "bytes")
    assert (picture.body, picture["content-type"]) == (b"\x00\xff", "image/png")
    cookies = visit(sdk_server, url, "GET", "cookies", headers={"Cookie": "one=1; two=2"})
    assert cookies.json == {"one": "1", "two": "2"}
    assert [value[:3] for name, value in cookies.headers if name == "set-cookie"] == ["a=1", "b=2"]
    told = visit(sdk_server, url, "GET", "where").json
    assert (told["url"], told["stage"], told["lifespan"][0]) == ("/where", "$default", "started")
    assert (told["client"], told["function"]) == ("127.0.0.1", app)

    answer = answer_to(client, app, gateway_event("PUT", "/items/5", BREAD))
    assert (answer["statusCode"], json.loads(answer["body"])["number"]) == (201, 5)
    assert answer_to(client, app, gateway_event("GET", "/items/6"))["statusCode"] == 404
    assert answer_to(client, app, gateway_event("GET", "/bytes"))["isBase64Encoded"] is True


def test_an_app_that_fails_answers_500_and_goes_on(sdk_server: LiveServer, client: Any, app: str) -> None:
    url = public_url(client, app)
    assert visit(sdk_server, url, "GET", "fails").status == 500
    assert visit(sdk_server, url, "GET", "where").status == 200
    refused = client.invoke(FunctionName=app, Payload=b'{"neither": "an event of HTTP"}')
    assert refused["FunctionError"] == "Unhandled"
    assert visit(sdk_server, url, "GET", "where").status == 200


def answer_to(client: Any, name: str, event: Any) -> Any:
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event))
    payload = json.load(answer["Payload"])
    assert "FunctionError" not in answer, payload
    return payload
