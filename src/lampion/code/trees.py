"""Directories that are made once, mounted often and never changed: each is verified before anything runs from it.

<name>/files is the tree, <name>/manifest what it holds. Made beside its place and renamed, a tree is whole or absent
after kill -9. Nothing is synced: what a power loss spoils, the manifest shows, and it is made again.
"""

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Final

from lampion.clock.clock import Clock
from lampion.code.manifest import (
    Manifest,
    ManifestDamaged,
    find_damage,
    read_manifest,
    stamp,
    survey,
    write_manifest,
)

CHECK_SECONDS: Final = 1.0
"""A tree looked at so short a time ago isn't looked at again: cold starts come in bursts."""

_FEW_NAMES: Final = 64  # looked at in less time than it takes to have a thread do it
_FILES: Final = "files"
_MANIFEST: Final = "manifest"

_LOG = logging.getLogger(__name__)

Fill = Callable[[Path], Awaitable[str]]
"""Makes a directory at the path, which doesn't exist; what it was made from, as `Manifest.made_from`."""


@dataclass(frozen=True, slots=True)
class _Sound:
    """A tree found to be what its manifest says; `stamp` of all `names` in it is from before that was looked into."""

    names: tuple[str, ...]
    stamp: int
    checked_at: float = 0.0
    used_at: float = 0.0


class Trees:
    """Trees in `directory`; `staging` is on the same file system and emptied at the start of a server."""

    def __init__(self, directory: Path, staging: Path, clock: Clock, *, check_seconds: float = CHECK_SECONDS) -> None:
        self._check_seconds = check_seconds
        self._directory = directory
        self._staging = staging
        self._clock = clock
        self._sound: dict[str, _Sound] = {}
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._numbers = count()

    async def prepare(self, name: str, made_from: str, fill: Fill) -> Path:
        """The tree `name`, verified: read whole when this server first needs it, by its stamp from then on.

        One that is missing, damaged or made from something else is made by `fill`. Raises what `fill` does, OSError.
        """
        while True:
            known = self._sound.get(name)
            if known is None:
                await self._alone(name, lambda: self._establish(name, made_from, fill))
            elif known.checked_at + self._check_seconds <= self._clock.monotonic():
                await self._alone(name, lambda: self._look_again(name))
            else:
                self._sound[name] = replace(known, used_at=self._clock.monotonic())
                return self._directory / name / _FILES

    async def discard(self, name: str) -> None:
        """Remove the tree, if it is there."""
        while name in self._busy:
            await asyncio.wait([self._busy[name]])
        await self._alone(name, lambda: self._remove(name))

    async def names(self) -> list[str]:
        """Of every tree on disk."""
        return await asyncio.to_thread(lambda: [path.name for path in self._directory.iterdir() if path.is_dir()])

    def is_unused_since(self, name: str, moment: float) -> bool:
        """Whether nobody prepares the tree now, or has after `moment` of the monotonic clock."""
        return name not in self._busy and (name not in self._sound or self._sound[name].used_at <= moment)

    async def _alone(self, name: str, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Join the work under way on this tree, or begin `work`. It goes on when its callers give up."""
        task = self._busy.get(name)
        if task is None or task.done():  # done, and not yet seen to be: to await it would let nothing else run
            task = asyncio.create_task(work())
            self._busy[name] = task
            task.add_done_callback(lambda done: self._finished(name, done))
        await asyncio.shield(task)

    def _finished(self, name: str, done: "asyncio.Future[None]") -> None:
        if self._busy.get(name) is done:
            del self._busy[name]
        if not done.cancelled():
            done.exception()  # seen: all callers may be gone

    async def _establish(self, name: str, made_from: str, fill: Fill) -> None:
        found = await asyncio.to_thread(self._verified, name, made_from)
        if found is None:
            found = await self._make(name, fill)
        now = self._clock.monotonic()
        self._sound[name] = replace(found, checked_at=now, used_at=now)

    async def _look_again(self, name: str) -> None:
        known = self._sound[name]
        if len(known.names) <= _FEW_NAMES:
            found = _stamp_if_there(known.names)
        else:
            found = await asyncio.to_thread(_stamp_if_there, known.names)
        if found == known.stamp:
            self._sound[name] = replace(known, checked_at=self._clock.monotonic())
        else:
            _LOG.warning("%s was touched since it was last looked at: it is read again", name)
            del self._sound[name]  # whoever waits has it read whole

    async def _make(self, name: str, fill: Fill) -> _Sound:
        staging = self._new_staging(name)
        try:
            await asyncio.to_thread(staging.mkdir, mode=0o700)
            made_from = await fill(staging / _FILES)
            return await asyncio.to_thread(self._finish, staging, name, made_from)
        except BaseException:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, staging, ignore_errors=True))
            raise

    async def _remove(self, name: str) -> None:
        self._sound.pop(name, None)
        await asyncio.to_thread(self._move_and_remove, name)

    def _finish(self, staging: Path, name: str, made_from: str) -> _Sound:
        manifest = Manifest(made_from, survey(staging / _FILES))
        write_manifest(staging / _MANIFEST, manifest)
        staging.rename(self._directory / name)
        names = manifest.names(self._directory / name / _FILES)
        return _Sound(names, stamp(names))

    def _verified(self, name: str, made_from: str) -> _Sound | None:
        """None when the tree has to be made; a damaged one is out of the way then."""
        place = self._directory / name
        if not place.is_dir():
            return None
        try:
            manifest = read_manifest(place / _MANIFEST)
        except (ManifestDamaged, OSError) as error:
            self._set_aside(name, str(error))
            return None
        if manifest.made_from != made_from:
            self._move_and_remove(name)
            return None
        names = manifest.names(place / _FILES)
        found = _stamp_if_there(names)  # first: what changes from here on, the next look shows
        damage = find_damage(place / _FILES, manifest)
        if found is not None and damage is None:
            return _Sound(names, found)
        self._set_aside(name, damage or "changes while it is read")
        return None

    def _set_aside(self, name: str, damage: str) -> None:
        """Environments may have it mounted: it is removed at the next start of a server."""
        _LOG.warning("unpacked code %s is damaged (%s) and is made again", name, damage)
        (self._directory / name).rename(self._new_staging(name))

    def _move_and_remove(self, name: str) -> None:
        """Renamed first, so that a half-removed tree is never taken for a whole one."""
        staging = self._new_staging(name)
        try:
            (self._directory / name).rename(staging)
        except FileNotFoundError:
            return
        shutil.rmtree(staging)

    def _new_staging(self, name: str) -> Path:
        return self._staging / f"tree-{name[:16]}-{next(self._numbers)}"


def _stamp_if_there(names: tuple[str, ...]) -> int | None:
    try:
        return stamp(names)
    except OSError:
        return None
