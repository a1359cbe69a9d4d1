"""Each version of each language that runs here: the same contract."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from lampion.code.runtimes import catalogue
from tests.conformance.recorded.replay import CannotRun, ask_until_settled
from tests.deployment import creation, unique_name, zipped

LANGUAGES = ("python", "nodejs")
RUNTIMES = [one.identifier for one in catalogue().runtimes.values() if one.language in LANGUAGES and one.is_runnable]

PYTHON = {
    "index.py": """
import json, os, sys, shared
print("loaded")
def handler(event, context):
    if "fail" in event:
        raise LookupError(event["fail"])
    print("heard", event["word"])
    version = "python%d.%d" % sys.version_info[:2]
    left = context.get_remaining_time_in_millis() > 0
    return [version, os.environ["AWS_EXECUTION_ENV"], context.function_name, left, shared.WHERE, event["word"]]
"""
}
NODEJS = {
    "index.mjs": """
import { createRequire } from "module";
const { WHERE } = createRequire(import.meta.url)("shared");
console.log("loaded");
export const handler = async (event, context) => {
  if (event.fail) {
    throw new RangeError(event.fail);
  }
  console.log("heard", event.word);
  const version = `nodejs${process.versions.node.split(".")[0]}.x`;
  const left = context.getRemainingTimeInMillis() > 0;
  return [version, process.env.AWS_EXECUTION_ENV, context.functionName, left, WHERE, event.word];
};
"""
}


def layer(runtime: str) -> Mapping[str, str]:
    """A module where only this version looks."""
    version = catalogue().runtimes[runtime].version
    if runtime.startswith("python"):
        return {f"python/lib/{runtime}/site-packages/shared.py": f"WHERE = {version!r}"}
    return {f"nodejs/node{version}/node_modules/shared/index.js": f"exports.WHERE = {version!r};"}


def invoke(client: Any, name: str, event: object) -> tuple[Any, str]:
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
    return json.load(answer["Payload"]), base64.b64decode(answer["LogResult"]).decode()


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_function_answers_logs_and_fails(lambda_client: Any, runtime: str) -> None:
    content = {"ZipFile": zipped(layer(runtime))}
    arn = lambda_client.publish_layer_version(LayerName=unique_name("shared"), Content=content)["LayerVersionArn"]
    name, source = unique_name("version"), PYTHON if runtime.startswith("python") else NODEJS
    lambda_client.create_function(**creation(name, source, Runtime=runtime, Layers=[arn]))
    try:
        ask_until_settled(lambda_client, "GetFunctionConfiguration", {"FunctionName": name})
    except CannotRun as error:
        lambda_client.delete_function(FunctionName=name)
        pytest.skip(f"{error.status.value}: {error.reason}")
    version = catalogue().runtimes[runtime].version
    for word in ("one", "zwei ü"):
        payload, log = invoke(lambda_client, name, {"word": word})
        assert payload == [runtime, f"AWS_Lambda_{runtime}", name, True, version, word]
        assert f"heard {word}" in log
    payload, log = invoke(lambda_client, name, {"fail": "no such luck"})
    assert payload["errorMessage"] == "no such luck"
    assert payload["errorType"] == ("LookupError" if runtime.startswith("python") else "RangeError")
    assert "no such luck" in log
    lambda_client.delete_function(FunctionName=name)
