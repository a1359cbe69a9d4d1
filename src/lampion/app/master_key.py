"""The place of the master key as settings name it; and the move to another one, while no server runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from lampion.clock.clock import Clock, SystemClock
from lampion.clock.rng import SystemRng
from lampion.config import Settings
from lampion.config.combinations import check_combinations
from lampion.config.master_key import IN_VARIABLE, VARIABLE, KmsKey
from lampion.endpoints.aws_client import AwsClient
from lampion.endpoints.http_client import HttpClient, TimeLimits
from lampion.identity.external_kms import ExternalKmsPlace
from lampion.identity.key_places import FilePlace, KeyPlace, VariablePlace
from lampion.identity.rewrapping import Moved, move
from lampion.store.data_directory import database_in, open_data_directory
from lampion.store.errors import DataDirectoryUnusable
from lampion.store.sqlite.database import open_database, scrub
from lampion.store.sqlite.master_key_check import read_master_key_check
from lampion.store.sqlite.resources import SqliteResources

_LIMITS = TimeLimits(connect_seconds=3.0, answer_seconds=5.0)


@asynccontextmanager
async def key_place(settings: Settings, clock: Clock) -> AsyncIterator[KeyPlace]:
    """Where the settings say that it is. A KMS elsewhere can be asked during the block only."""
    if isinstance(settings.master_key, KmsKey):
        http = HttpClient(clock, ca_bundle=settings.endpoints.ca_bundle, limits=_LIMITS)
        partition, region = settings.master_key.arn_parts or ("aws", settings.region)
        client = AwsClient(settings.endpoints, http, clock)
        try:
            yield ExternalKmsPlace(
                settings.master_key.key_id, client=client, clock=clock, partition=partition, region=region
            )
        finally:
            await http.close()
    elif settings.given_master_key is not None:
        yield VariablePlace(settings.given_master_key, VARIABLE)
    else:
        yield FilePlace(settings.master_key_file)


async def move_master_key(settings: Settings, to: Path | KmsKey | bytes) -> Moved:
    """To a file, to a KMS elsewhere, or to the key that is given itself.

    Raises StoreError, SettingError; NotScrubbed when it is moved, but what the old one opens may still lie in the file.
    """
    target = _pointed(settings, to)
    if not database_in(settings.data).exists():
        raise DataDirectoryUnusable(f"No server ever ran on {settings.data}.")
    directory = open_data_directory(settings.data)
    try:
        moved = await _moved(directory.database, settings, target)
        await asyncio.to_thread(scrub, directory.database)
    finally:
        directory.close()
    return moved


def place_of_master_key(settings: Settings) -> str:
    """As the data directory knows it; where it doesn't yet, as the settings have it. Raises StoreError."""
    check = read_master_key_check(database_in(settings.data))
    if check is not None and check.place:
        return check.place
    return _named(settings)


def _named(settings: Settings) -> str:
    if isinstance(settings.master_key, KmsKey):
        return str(settings.master_key)
    return f"file:{settings.master_key_file}" if settings.given_master_key is None else IN_VARIABLE


async def _moved(database_file: Path, settings: Settings, target: Settings) -> Moved:
    clock = SystemClock()
    database = await open_database(database_file)
    try:
        async with key_place(settings, clock) as old, key_place(target, clock) as new:
            return await move(SqliteResources(database), old, new, SystemRng())
    finally:
        await database.close()


def _pointed(settings: Settings, to: Path | KmsKey | bytes) -> Settings:
    """Raises SettingError for a file among the data."""
    if isinstance(to, bytes):
        return replace(settings, master_key=None, given_master_key=to)
    target = replace(settings, master_key=to, given_master_key=None)
    check_combinations(target)
    return target
