"""The assembly of the .NET runtime that ships."""

import pytest

from tests.dotnet_functions import builder, has_dotnet


def test_the_assembly_is_of_these_sources() -> None:
    """Needs no compiler: the assembly says what it was made from. Mend with scripts/build-dotnet-runtime."""
    assert builder().digest_of_sources().encode() in builder().ASSEMBLY.read_bytes()


def test_the_assembly_is_what_its_sources_make() -> None:
    if not has_dotnet():
        pytest.skip("needs make setup-dotnet, whose .NET is there for x86_64 only")
    assert builder().build() == builder().ASSEMBLY.read_bytes()
