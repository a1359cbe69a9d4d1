"""Run inside a sandbox as a zygote: each copy runs the code that its orders name, as `python -c` would."""

import json
import os
import sys

import _lampion_waiting  # type: ignore[import-not-found]  # of the runtime, mounted beside this

_lampion_waiting.become_copy()
order = json.loads(os.environ.pop("LAMPION_TEST_ORDER"))
sys.argv = ["-c", *order["arguments"]]
exec(order["code"], {"__name__": "__main__"})
