"""Where code signing configurations are kept: by account, and which function uses which with that function."""

from typing import Final

from lampion.domain.arn import FunctionKey
from lampion.domain.code_signing import CodeSigningConfig, FunctionCodeSigning, config_gone
from lampion.store.resources import Kind, Place, Stored

CODE_SIGNING_CONFIGS: Final = Kind(
    "code-signing-config", CodeSigningConfig, place=lambda config: config_place(config.arn)
)
FUNCTION_CODE_SIGNINGS: Final = Kind(
    "function-code-signing",
    FunctionCodeSigning,
    place=lambda used: Place.of_function(used.key),
    found_by=lambda used: used.config_arn,
)


def config_place(arn: str) -> Place:
    """Where the configuration of this ARN is; the model has checked the ARN's shape."""
    _, _, _, region, account_id, _, own_id = arn.split(":")
    return Place.of_account(account_id, region, own_id)


def config_of_function(stored: Stored, key: FunctionKey) -> CodeSigningConfig | None:
    """What the function's new code is held to."""
    used = stored.get(FUNCTION_CODE_SIGNINGS, Place.of_function(key))
    return None if used is None else stored.get(CODE_SIGNING_CONFIGS, config_place(used.config_arn))


def existing_config(stored: Stored, key: FunctionKey, arn: str) -> CodeSigningConfig:
    """The configuration that this function is to use. Raises CodeSigningConfigNotFoundException."""
    place = config_place(arn)
    here = (place.account_id, place.region) == (key.account_id, key.region)
    config = stored.get(CODE_SIGNING_CONFIGS, place) if here else None
    if config is None:
        raise config_gone(arn)
    return config
