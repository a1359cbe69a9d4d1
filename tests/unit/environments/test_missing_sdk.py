"""When an Init failed for want of the SDK that AWS's runtime brings."""

import pytest

from lampion.environments.failures import missing_sdk


@pytest.mark.parametrize(
    ("runtime", "message", "expected"),
    [
        ("python3.12", "Unable to import module 'index': No module named 'boto3'", "boto3"),
        ("python3.12", "Unable to import module 'index': No module named 'botocore.config'", "botocore"),
        ("python3.12", "Unable to import module 'index': No module named 'boto3000'", None),
        ("python3.12", "Unable to import module 'index': No module named 'requests'", None),
        ("nodejs20.x", "Error: Cannot find module '@aws-sdk/client-s3'\nRequire stack:", "@aws-sdk/client-s3"),
        ("nodejs22.x", "Cannot find package '@aws-sdk/lib-dynamodb' imported from", "@aws-sdk/lib-dynamodb"),
        ("nodejs20.x", "Error: Cannot find module 'aws-sdk'", None),
        ("nodejs16.x", "Error: Cannot find module 'aws-sdk'", "aws-sdk"),
        ("nodejs16.x", "Error: Cannot find module 'aws-sdk/clients/s3'", "aws-sdk"),
        ("nodejs16.x", "Error: Cannot find module '@aws-sdk/client-s3'", None),
        ("ruby3.3", "cannot load such file -- aws-sdk-s3", "aws-sdk-s3"),
        ("ruby3.3", "cannot load such file -- aws-sdk", "aws-sdk"),
        ("ruby3.3", "cannot load such file -- nokogiri", None),
        ("provided.al2023", "No module named 'boto3'", None),
        ("", "No module named 'boto3'", None),
    ],
)
def test_it_is_told_for_runtimes_that_bring_it_on_aws(runtime: str, message: str, expected: str | None) -> None:
    assert missing_sdk(runtime, message.encode()) == expected
