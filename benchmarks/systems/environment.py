"""The peers' virtual environments, each of its own, beside ours in the checkout (`make bench` makes them)."""

from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = CHECKOUT / ".venv-bench"
SET_UP = "`make bench` sets it up"


def python_of(name: str) -> Path:
    """The interpreter of the environment `name`."""
    return ENVIRONMENTS / name / "bin" / "python"


def site_packages(name: str) -> Path:
    """Where the environment `name` keeps its packages; a path that doesn't exist if there is no such environment."""
    return next((ENVIRONMENTS / name).glob("lib/python3*/site-packages"), ENVIRONMENTS / name / "absent")


def version_in(name: str, package: str) -> str:
    """The version of `package` in the environment `name`; "absent" if it isn't there."""
    path = [str(site_packages(name))]
    return next((found.version for found in distributions(name=package, path=path)), "absent")


def our_version(package: str) -> str:
    """The version of `package` beside us; "absent" if it isn't there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"
