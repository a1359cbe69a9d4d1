"""How AWS says that a file system isn't mounted: the texts of its developer guide."""

import pytest

from lampion.domain.file_system import MountProblem, io_error, mount_error

EFS = "arn:aws:elasticfilesystem:us-east-2:123456789012:access-point/fsap-015cdef0b72b405fd"
S3_FILES = "arn:aws:s3files:us-east-2:123456789012:file-system/fs-0123456789abcdef0/access-point/fsap-015cdef0b72b405fd"


@pytest.mark.parametrize(
    ("problem", "code", "message"),
    [
        (
            MountProblem.FAILURE,
            "EFSMountFailureException",
            f"The function could not mount the EFS file system with access point {EFS}.",
        ),
        (
            MountProblem.CONNECTIVITY,
            "EFSMountConnectivityException",
            f"The function couldn't connect to the Amazon EFS file system with access point {EFS}. "
            "Check your network configuration and try again.",
        ),
        (
            MountProblem.TIMEOUT,
            "EFSMountTimeoutException",
            f"The function could not mount the EFS file system with access point {EFS} due to mount time out.",
        ),
    ],
)
def test_each_problem_has_an_error_of_its_own(problem: MountProblem, code: str, message: str) -> None:
    error = mount_error(problem, EFS)
    assert (error.code, error.message) == (code, message)
    of_s3_files = mount_error(problem, S3_FILES)
    assert of_s3_files.code == code.replace("EFS", "S3Files")
    assert S3_FILES in of_s3_files.message
    assert "EFS" not in of_s3_files.message


def test_what_cannot_be_ended_is_an_error_of_its_own() -> None:
    error = io_error()
    assert (error.code, error.message) == (
        "EFSIOException",
        "This function instance was stopped because Lambda detected an IO process that was taking too long.",
    )
