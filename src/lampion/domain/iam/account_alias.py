"""The alias of an account: one at most, which no other account has. Pure.

Docs: IAM user guide, "Your AWS account ID and alias".
"""

from dataclasses import dataclass

from lampion.domain.iam.errors import EntityAlreadyExistsException, NoSuchEntityException


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountAlias:
    """`name` is lower case."""

    account_id: str
    name: str


def alias_taken(name: str) -> EntityAlreadyExistsException:
    return EntityAlreadyExistsException(f"The account alias {name} already exists.")


def alias_missing(name: str) -> NoSuchEntityException:
    return NoSuchEntityException(f"The account alias {name} was not found.")
