"""Keys, aliases and grants as KMS's answers show them."""

from collections.abc import Mapping
from typing import Any

from lampion.domain.kms.alias import Alias
from lampion.domain.kms.grant import Grant
from lampion.domain.kms.key import ALGORITHM, ORIGIN, SPEC, USAGE, Key, KeyState


def key_shape(key: Key) -> Mapping[str, Any]:
    """KeyMetadata."""
    return {
        "AWSAccountId": key.account_id,
        "KeyId": key.key_id,
        "Arn": key.arn,
        "CreationDate": key.created_epoch_seconds,
        "Enabled": key.state is KeyState.ENABLED,
        "Description": key.description,
        "KeyUsage": USAGE,
        "KeyState": key.state.value,
        "DeletionDate": key.deletion_epoch_seconds,
        "Origin": ORIGIN,
        "KeyManager": key.manager.value,
        "CustomerMasterKeySpec": SPEC,
        "KeySpec": SPEC,
        "EncryptionAlgorithms": [ALGORITHM],
        "MultiRegion": False,
        "CurrentKeyMaterialId": key.materials[-1].id,
    }


def alias_shape(alias: Alias) -> Mapping[str, Any]:
    return {
        "AliasName": alias.name,
        "AliasArn": alias.arn,
        "TargetKeyId": alias.key_id,
        "CreationDate": alias.created_epoch_seconds,
        "LastUpdatedDate": alias.updated_epoch_seconds,
    }


def grant_shape(grant: Grant, key_arn: str) -> Mapping[str, Any]:
    """GrantListEntry."""
    constraints = {"EncryptionContextEquals": grant.equals, "EncryptionContextSubset": grant.subset}
    given = {name: pairs for name, pairs in constraints.items() if pairs}
    return {
        "KeyId": key_arn,
        "GrantId": grant.grant_id,
        "Name": grant.name or "",
        "CreationDate": grant.created_epoch_seconds,
        "GranteePrincipal": grant.grantee,
        "RetiringPrincipal": grant.retiring,
        "IssuingAccount": grant.issuer,
        "Operations": list(grant.operations),
        **({"Constraints": given} if given else {}),
    }
