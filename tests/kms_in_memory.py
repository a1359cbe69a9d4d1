"""KMS in memory with keys of an account, for tests of what encrypts with them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from lampion.clock.rng import SystemRng
from lampion.clock.virtual import VirtualClock
from lampion.domain.kms.grant import Grant
from lampion.domain.kms.key import Key, KeyState
from lampion.domain.kms.policy import default_policy
from lampion.http.message import RequestHead
from lampion.identity.actors import Actor
from lampion.identity.encryption_keys import EncryptionKeys
from lampion.identity.function_keys import FunctionKeys, Owner
from lampion.identity.key_access import KeyAccess
from lampion.identity.key_places import FilePlace
from lampion.identity.master_key import MasterKeys
from lampion.identity.request_facts import Asker, Asking
from lampion.store.cached_resources import CachedResources
from lampion.store.kms import GRANTS, KEYS
from tests.identities import ACCOUNT, keys_in, resources_in_memory

REGION = "us-east-1"
OWNER = Owner(ACCOUNT, REGION)


class KmsInMemory:
    """Everything of KMS but its door, on `resources`."""

    def __init__(self, folder: Path, resources: CachedResources | None = None) -> None:
        self.clock = VirtualClock()
        self.rng = SystemRng()
        self.resources = resources or resources_in_memory()
        self.directory = keys_in(self.resources).directory
        masters = MasterKeys(place=FilePlace(folder / "master"), resources=self.resources, rng=self.rng)
        self.keys = EncryptionKeys(resources=self.resources, masters=masters, clock=self.clock, rng=self.rng)
        self.access = KeyAccess(self.resources)
        self.function_keys = FunctionKeys(
            keys=self.keys, access=self.access, directory=self.directory, clock=self.clock, rng=self.rng
        )

    @property
    def root(self) -> Asker:
        return self.asker(self.directory.root(ACCOUNT))

    def asker(self, actor: Actor) -> Asker:
        head = RequestHead("POST", "/", "", {}, 0)
        asking = Asking(head, now_epoch_seconds=self.clock.now(), scheme="http", region=REGION)
        return Asker(actor, asking, has_session=False)

    async def key(self, *statements: dict[str, Any]) -> Key:
        """A new one, with a policy of these statements, or the default one."""
        policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        draft = Key(
            account_id=ACCOUNT,
            region=REGION,
            key_id=self.rng.uuid4(),
            created_epoch_seconds=self.clock.now(),
            policy=policy if statements else default_policy(ACCOUNT),
            materials=(),
        )
        made = await self.keys.with_material(draft)
        await self.resources.change(lambda stored: stored.put(KEYS, made))
        return made

    async def put_state(self, key: Key, state: KeyState) -> None:
        await self.resources.change(lambda stored: stored.put(KEYS, replace(key, state=state)))

    async def delete(self, key: Key) -> None:
        await self.resources.change(lambda stored: stored.delete(KEYS, KEYS.place(key)))

    async def grant(self, key: Key, grantee: str, *operations: str, **more: Any) -> None:
        made = Grant(
            account_id=key.account_id,
            region=key.region,
            key_id=key.key_id,
            grant_id="g",
            created_epoch_seconds=0,
            grantee=grantee,
            operations=operations,
            issuer=f"arn:aws:iam::{key.account_id}:root",
            **more,
        )
        await self.resources.change(lambda stored: stored.put(GRANTS, made))
