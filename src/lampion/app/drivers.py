"""Which driver makes the sandboxes of this server, and what they may have beyond the machine: from the settings."""

import logging
from contextlib import AbstractContextManager, nullcontext

from lampion.clock.clock import Clock
from lampion.config import Settings
from lampion.config.values import NetworkChoice, PrivateNetworks, SandboxChoice
from lampion.sandbox.driver import Driver, Grade, SandboxError
from lampion.sandbox.drivers.namespace import NamespaceDriver
from lampion.sandbox.drivers.oci import OciDriver
from lampion.sandbox.drivers.process import ProcessDriver
from lampion.sandbox.network.findings import NO_DNS, examine_network
from lampion.sandbox.network.router import Outside
from lampion.sandbox.server_seat import seat_among_sandboxes

_log = logging.getLogger(__name__)


def choose_driver(settings: Settings, clock: Clock) -> Driver:
    """The driver asked for; `auto` takes namespaces where they work, and says so where they don't."""
    if settings.sandbox is SandboxChoice.PROCESS:
        return ProcessDriver(clock)
    if settings.sandbox is SandboxChoice.OCI:
        return _oci_driver(settings, clock)
    namespace = NamespaceDriver(clock, settings.cgroup_parent, scratch=settings.data, outside=_outside(settings))
    capabilities = namespace.capabilities()
    if capabilities.grade is not Grade.NONE:
        return namespace
    if settings.sandbox is SandboxChoice.NAMESPACE:
        reasons = "; ".join(f"{finding.name}: {finding.mend}" for finding in capabilities.findings)
        raise SandboxError(f"This machine can't make namespace sandboxes ({reasons}). lampion doctor says more.")
    _log.warning("no namespace sandboxes on this machine: functions run WITHOUT isolation; see lampion doctor")
    return ProcessDriver(clock)


def place_of_server(driver: Driver, settings: Settings) -> AbstractContextManager[None]:
    """Where the server is while it makes sandboxes: among them, if `driver` gives them cgroups under its parent."""
    return seat_among_sandboxes(settings.cgroup_parent) if isinstance(driver, NamespaceDriver) else nullcontext()


def _oci_driver(settings: Settings, clock: Clock) -> Driver:
    """Raises SandboxError where the runtime makes no sandboxes."""
    driver = OciDriver(clock, settings.oci_runtime, settings.cgroup_parent)
    capabilities = driver.capabilities()
    if capabilities.grade is Grade.NONE:
        raise SandboxError("; ".join(f"{finding.effect}: {finding.mend}" for finding in capabilities.findings))
    return driver


def _outside(settings: Settings) -> Outside | None:
    """What sandboxes may have beyond this machine; None unless asked for. Raises SandboxError if it can't be had."""
    is_egress = settings.network is NetworkChoice.EGRESS
    if not is_egress and not settings.subnet_route:
        return None
    routes = {route for routes in settings.subnet_route.values() for route in routes}
    findings = examine_network(routes, is_egress=is_egress, dns=settings.dns_server)
    obstacles = [f"{finding.effect}: {finding.mend}" for finding in findings if finding.name != NO_DNS]
    if obstacles:
        raise SandboxError("; ".join(obstacles))
    for finding in findings:
        _log.warning("%s; to mend it: %s", finding.effect, finding.mend)
    return Outside(settings.private_networks is PrivateNetworks.ALLOW, settings.dns_server)
