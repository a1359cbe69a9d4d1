"""All 48 probes exist, in Python and in Node, and every program is in the catalogue."""

import importlib
import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.escape.catalogue import ALL, LISTED
from tests.escape.catalogue import Path as Way
from tests.escape.probes.python.attempts import PROBES
from tests.escape.probes.python.runner import ROOMS
from tests.escape.product import PROGRAMME
from tests.escape.run import NATIVE_PROBES

FOLDER = Path(__file__).parent / "probes"
SCENERY = {"sibling", "previous"}
RUNS = {run for probe in ALL if probe.path is Way.SANDBOX for run in probe.runs}
BY_SERVER = {probe.name for probe in ALL if probe.path is Way.PRODUCT}


def python_probes() -> set[str]:
    for room in ROOMS:
        importlib.import_module(f"tests.escape.probes.python.{room}")
    return set(PROBES)


def node_names(*rooms: str, of: str = "probes") -> set[str]:
    text = (
        "const rooms = await Promise.all(process.argv.slice(1).map((path) => import(path)));"
        f"console.log(JSON.stringify(rooms.flatMap((room) => Object.keys(room.{of}))));"
    )
    paths = [str(FOLDER / "nodejs" / f"{room}.mjs") for room in rooms]
    command = ["node", "--input-type=module", "-e", text, *paths]
    return set(json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout))


def test_the_list_has_its_48_probes_in_order():
    assert [probe.name for probe in LISTED] == [f"P{number:02}" for number in range(1, 49)]
    assert len({probe.name for probe in ALL}) == len(ALL)


def test_every_probe_of_sandboxes_exists_in_python():
    assert python_probes() - SCENERY == RUNS


def test_every_probe_of_sandboxes_exists_in_node():
    rooms = ("files", "proc", "kernel", "network", "signals", "resources", "confusion")
    assert node_names(*rooms) == RUNS


def test_every_native_probe_is_one_of_the_list():
    in_program = re.findall(r'\{"([PX]\d\d[:\w]*)", probe_', (FOLDER / "native" / "probes.c").read_text())
    assert set(in_program) == set(NATIVE_PROBES) <= RUNS


def test_every_probe_of_servers_has_a_programme():
    assert set(PROGRAMME) == BY_SERVER | {"P40", "P45"}


@pytest.mark.parametrize("folder", ["python/product.py", "nodejs/product.mjs"])
def test_what_the_programme_asks_functions_for_exists_in_both_languages(folder):
    asked = set(re.findall(r'a\.(?:ask|call)\(\s*"(\w+)"', Path(__file__).with_name("product.py").read_text()))
    text = (FOLDER / folder).read_text()
    defined = set(re.findall(r"def _(\w+)\(a: Attempts|^  async (\w+)\(", text, re.MULTILINE))
    assert asked <= {one or other for one, other in defined}
    assert len(asked) > 8


def test_the_control_run_can_reach_its_least_number_of_open_doors():
    assert sum(not probe.closed_by_host for probe in LISTED) >= 40
