"""ES modules find packages where NODE_PATH says, as in AWS's Node.js: after their own, in order."""

import json
from pathlib import Path

import pytest

from tests.component.nodejs_runtime.node_process import every_node, run_source
from tests.component.python_runtime.runtime_process import Ran, result

IMPORTS = """
import where from "package";
export const handler = async () => where;
"""
DYNAMIC = """
export const handler = async () => {
  const found = [];
  for (const name of ["package", "package/deep.mjs", "absent", "./absent.mjs", "broken", "node:absent"]) {
    found.push(await import(name).then((one) => one.default, (error) => error.code));
  }
  return found;
};
"""


def put(directory: Path, name: str, **files: str) -> None:
    place = directory / "node_modules" / name
    place.mkdir(parents=True)
    described = {"name": name, "main": "main.js"}
    (place / "package.json").write_text(json.dumps(described))
    (place / "main.js").write_text(f"module.exports = {json.dumps(directory.name)};")
    for file, text in files.items():
        (place / f"{file}.mjs").write_text(text)


def run(source: str, tmp_path: Path, major: int, *directories: Path) -> Ran:
    task = tmp_path / "task"
    path = ":".join(str(directory / "node_modules") for directory in directories)
    return run_source({"index.mjs": source}, task, major=major, variables={"NODE_PATH": path})


@every_node
def test_a_package_is_taken_from_the_function_then_from_each_directory_in_order(major: int, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    put(second, "package")
    assert result(run(IMPORTS, tmp_path, major, first, second)) == "second"
    put(first, "package")
    assert result(run(IMPORTS, tmp_path, major, first, second)) == "first"
    put(tmp_path / "task", "package")
    assert result(run(IMPORTS, tmp_path, major, first, second)) == "task"


@every_node
def test_only_packages_are_looked_for_and_errors_stay_what_they_are(major: int, tmp_path: Path) -> None:
    layer = tmp_path / "layer"
    put(layer, "package", deep="export default 'deep';")
    put(layer, "broken", main="")
    (layer / "node_modules/broken/package.json").write_text('{"exports": {"./other": "./main.mjs"}}')
    (layer / "node_modules/absent.mjs").write_text("export default 'not this';")
    found = result(run(DYNAMIC, tmp_path, major, layer))
    expected = ["layer", "deep", "ERR_MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"]
    assert found == [*expected, "ERR_PACKAGE_PATH_NOT_EXPORTED", "ERR_UNKNOWN_BUILTIN_MODULE"]


@every_node
@pytest.mark.parametrize("has_layer", [False, True])
def test_a_package_that_is_nowhere_fails_as_before(major: int, tmp_path: Path, has_layer: bool) -> None:
    layer = tmp_path / "layer"
    if has_layer:
        put(layer, "another")
    ran = run(IMPORTS, tmp_path, major, layer)
    [post] = ran.posts
    told = json.loads(post.body)
    assert post.path.endswith("/init/error")
    assert told["errorType"] == "Error"
    assert told["errorMessage"].startswith("Cannot find package 'package' imported from ")
    assert told["errorMessage"].rstrip().endswith("index.mjs")
