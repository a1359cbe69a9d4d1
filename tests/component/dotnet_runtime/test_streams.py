"""Answers in pieces, by the factory that new versions of Amazon.Lambda.Core have, and what is posted of them."""

import base64
import json

from tests.component.dotnet_runtime.dotnet_process import run_dotnet
from tests.dotnet_functions import needs_dotnet

pytestmark = needs_dotnet

MODE = "lambda-runtime-function-response-mode"


def test_pieces() -> None:
    ran = run_dotnet("Pieces.Handle", "plain", "http")
    plain, http = ran.posts
    assert (plain.body, plain.headers[MODE], plain.trailers) == (b"one two 4", "streaming", {})
    assert plain.headers["content-type"] == "application/octet-stream"
    assert http.body == b'{"statusCode":201}' + bytes(8) + b"one two 4"
    assert http.headers["content-type"] == "application/vnd.awslambda.http-integration-response"


def test_an_error_in_the_middle_is_told_at_the_end() -> None:
    (post,) = run_dotnet("Pieces.Handle", "fail").posts
    assert post.body == b"one two 4"
    assert post.trailers["lambda-runtime-function-error-type"] == "InvalidOperationException"
    told = json.loads(base64.b64decode(post.trailers["lambda-runtime-function-error-body"]))
    assert told["errorMessage"] == "in the middle"
