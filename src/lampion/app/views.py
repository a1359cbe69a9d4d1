"""Lampion's own doors: one line for each view, and who gets in."""

from lampion.app.rooms import Ports, Stores, Work
from lampion.config import Settings
from lampion.console.calls import CallsView
from lampion.console.clock import ClockView
from lampion.console.logs import LogsView
from lampion.console.metrics import MetricsView
from lampion.console.queue_orders import QueueOrders
from lampion.console.queues import QueuesView
from lampion.console.service_keys import ACTIONS, ServiceKeysView
from lampion.console.status import StatusView
from lampion.gateway.authentication import Authentication
from lampion.gateway.authorization import OwnDoors
from lampion.gateway.door import Door
from lampion.gateway.judge import Judge
from lampion.gateway.own_views import HealthDoor, OwnView
from lampion.identity.service_keys import ServiceKeyring
from lampion.invoke.purging import Purging
from lampion.invoke.redriving import Redriving


def own_doors(
    settings: Settings, ports: Ports, stores: Stores, work: Work, authentication: Authentication, judge: Judge
) -> dict[str, Door]:
    """By the first part of their path after `/_lampion/`."""
    accounts = OwnDoors(authentication, judge, for_functions=False)
    operators = OwnDoors(authentication, judge, for_functions=False, only_account=settings.account_id)
    readers = OwnDoors(authentication, judge, for_functions=True)
    logs = LogsView(functions=stores.functions, logs=stores.logs, clock=ports.clock)
    metrics = MetricsView(metrics=ports.metrics, functions=stores.functions)
    redriving = Redriving(queues=work.queues, contents=stores.queue_contents, functions=stores.functions)
    purging = Purging(queues=work.queues, contents=stores.queue_contents, metrics=ports.metrics)
    queues = QueuesView(
        queues=work.queues,
        contents=stores.queue_contents,
        functions=stores.functions,
        orders=QueueOrders(redriving=redriving, purging=purging, contents=stores.queue_contents),
    )
    calls = CallsView(record=work.keys.record, functions=stores.functions)
    keys = ServiceKeysView(ServiceKeyring(stores.resources, ports.clock, ports.rng))
    makers = OwnDoors(authentication, judge, for_functions=False, actions=ACTIONS)
    status = StatusView(health=ports.health, clock=ports.clock)
    clock = ClockView(adjustable=ports.adjustable, machine=ports.clock)
    return {
        "calls": OwnView(calls, authentication=accounts, region=settings.region),
        "clock": OwnView(clock, authentication=operators, region=settings.region),
        "health": HealthDoor(ports.health),
        "logs": OwnView(logs, authentication=readers, region=settings.region),
        "metrics": OwnView(metrics, authentication=accounts, region=settings.region),
        "queues": OwnView(queues, authentication=accounts, region=settings.region),
        "service-keys": OwnView(keys, authentication=makers, region=settings.region),
        "status": OwnView(status, authentication=operators, region=settings.region),
    }
