"""Members with which each operation is asked rightly of what stands on the stage."""

import json
from typing import Final

from tests.conformance.bad_requests.catalogue import Known
from tests.conformance.bad_requests.standing import (
    ALIAS,
    CONFIG_ARN,
    CONTENT,
    FUNCTION,
    FUNCTION_ARN,
    LAYER,
    LAYER_ARN,
    MADE,
    MANAGED,
    MAPPING,
    OTHER_QUEUE_ARN,
    OTHER_SOURCE,
    PROVIDER,
    PROVIDER_MEMBERS,
    PUBLISHERS,
    SOURCE,
    SPARE_CONFIG_ARN,
    SPARE_PROVIDER,
)
from tests.deployment import creation, zipped

_POLICY: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "put",
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
                "Action": "lambda:InvokeFunction",
                "Resource": FUNCTION_ARN,
            }
        ],
    }
)

_LAYER_VERSION: Final = {"LayerName": LAYER, "VersionNumber": 1}

KNOWN: Final[Known] = {
    "": {
        "FunctionName": FUNCTION,
        "LayerName": LAYER,
        "VersionNumber": 1,
        "CapacityProviderName": PROVIDER,
        "CodeSigningConfigArn": CONFIG_ARN,
        "UUID": MAPPING,
        "Resource": FUNCTION_ARN,
        "ResourceArn": FUNCTION_ARN,
        "StatementId": "standing",
    },
    "AddLayerVersionPermission": {
        **_LAYER_VERSION,
        "StatementId": "added",
        "Action": "lambda:GetLayerVersion",
        "Principal": "210987654321",
    },
    "AddPermission": {"StatementId": "added", "Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com"},
    "CreateAlias": {"Name": "made", "FunctionVersion": "1"},
    "CreateCapacityProvider": {"CapacityProviderName": MADE, **PROVIDER_MEMBERS},
    "CreateCodeSigningConfig": {"AllowedPublishers": PUBLISHERS},
    "CreateEventSourceMapping": {"EventSourceArn": OTHER_QUEUE_ARN, "FunctionName": FUNCTION},
    "CreateFunction": creation(MADE, SOURCE),
    "CreateFunctionUrlConfig": {"Qualifier": ALIAS, "AuthType": "NONE"},
    "DeleteAlias": {"Name": ALIAS},
    "DeleteCapacityProvider": {"CapacityProviderName": SPARE_PROVIDER},
    "DeleteCodeSigningConfig": {"CodeSigningConfigArn": SPARE_CONFIG_ARN},
    "DeleteProvisionedConcurrencyConfig": {"Qualifier": ALIAS},
    "GetAlias": {"Name": ALIAS},
    "GetFunctionScalingConfig": {"FunctionName": MANAGED, "Qualifier": "1"},
    "GetLayerVersionByArn": {"Arn": LAYER_ARN},
    "GetProvisionedConcurrencyConfig": {"Qualifier": ALIAS},
    "Invoke": {"Payload": b"{}"},
    "PublishLayerVersion": {"Content": CONTENT},
    "PublishVersion": {"Description": "published"},
    "PutFunctionCodeSigningConfig": {"CodeSigningConfigArn": SPARE_CONFIG_ARN},
    "PutFunctionConcurrency": {"ReservedConcurrentExecutions": 30},
    "PutFunctionEventInvokeConfig": {"MaximumEventAgeInSeconds": 600},
    "PutFunctionRecursionConfig": {"RecursiveLoop": "Terminate"},
    "PutFunctionScalingConfig": {
        "FunctionName": MANAGED,
        "Qualifier": "1",
        "FunctionScalingConfig": {"MaxExecutionEnvironments": 9},
    },
    "PutProvisionedConcurrencyConfig": {"Qualifier": ALIAS, "ProvisionedConcurrentExecutions": 3},
    "PutResourcePolicy": {"Policy": _POLICY},
    "PutRuntimeManagementConfig": {"UpdateRuntimeOn": "FunctionUpdate"},
    "TagResource": {"Tags": {"tagged": "yes"}},
    "UntagResource": {"TagKeys": ["standing"]},
    "UpdateAlias": {"Name": ALIAS, "Description": "changed"},
    "UpdateCapacityProvider": {"CapacityProviderScalingConfig": {"MaxVCpuCount": 60}},
    "UpdateCodeSigningConfig": {"Description": "changed"},
    "UpdateEventSourceMapping": {"BatchSize": 5},
    "UpdateFunctionCode": {"ZipFile": zipped(OTHER_SOURCE)},
    "UpdateFunctionConfiguration": {"Description": "changed again"},
    "UpdateFunctionEventInvokeConfig": {"MaximumRetryAttempts": 2},
    "UpdateFunctionUrlConfig": {"AuthType": "NONE"},
}
