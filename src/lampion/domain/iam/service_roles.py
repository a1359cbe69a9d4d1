"""Service-linked roles: which service has one, what it is called, and that only the service changes it. Pure.

Docs: IAM user guide, "Create a service-linked role"; each service's own page for the name of its role.
"""

import json
from typing import Final

from lampion.domain.iam.errors import InvalidInputException
from lampion.domain.iam.identity import SERVICE_ROLES_PATH

_PREFIX: Final = "AWSServiceRoleFor"
_DOMAIN: Final = ".amazonaws.com"
_WITH_SUFFIX: Final = frozenset(("autoscaling", "connect", "lexv2"))
"""Those of which an account may have several."""
_NAMES: Final = {
    "access-analyzer": "AccessAnalyzer",
    "apidestinations.events": "AmazonEventBridgeApiDestinations",
    "autoscaling": "AutoScaling",
    "backup": "Backup",
    "batch": "Batch",
    "cks.kms": "KeyManagementServiceCustomKeyStores",
    "cloudtrail": "CloudTrail",
    "codestar-notifications": "CodeStarNotifications",
    "config": "Config",
    "connect": "AmazonConnect",
    "dynamodb.application-autoscaling": "ApplicationAutoScaling_DynamoDBTable",
    "ecs": "ECS",
    "ecs.application-autoscaling": "ApplicationAutoScaling_ECSService",
    "eks": "AmazonEKS",
    "elasticfilesystem": "AmazonElasticFileSystem",
    "elasticloadbalancing": "ElasticLoadBalancing",
    "es": "AmazonElasticsearchService",
    "events": "CloudWatchEvents",
    "guardduty": "AmazonGuardDuty",
    "imagebuilder": "ImageBuilder",
    "kafka": "Kafka",
    "kafka.application-autoscaling": "ApplicationAutoScaling_KafkaCluster",
    "lambda": "Lambda",
    "lambda.application-autoscaling": "ApplicationAutoScaling_LambdaConcurrency",
    "lexv2": "LexV2Bots",
    "logger.cloudfront": "CloudFrontLogger",
    "mq": "AmazonMQ",
    "mrk.kms": "KeyManagementServiceMultiRegionKeys",
    "opensearchservice": "AmazonOpenSearchService",
    "ops.apigateway": "APIGateway",
    "organizations": "Organizations",
    "rds": "RDS",
    "rds.application-autoscaling": "ApplicationAutoScaling_RDSCluster",
    "replication.dynamodb": "DynamoDBReplication",
    "replicator.lambda": "LambdaReplicator",
    "schemas": "Schemas",
    "securityhub": "SecurityHub",
    "spot": "EC2Spot",
    "spotfleet": "EC2SpotFleet",
    "ssm": "AmazonSSM",
    "sso": "SSO",
    "support": "Support",
    "transitgateway": "VPCTransitGateway",
    "trustedadvisor": "TrustedAdvisor",
    "wafv2": "WAFV2Logging",
}
"""By the service's name. From AWS's documentation, as remembered; others are refused, not guessed."""


def service_role_name(service: str, suffix: str | None = None) -> str:
    """Of a service by its full name, such as `replicator.lambda.amazonaws.com`. Raises InvalidInputException."""
    short = service.removesuffix(_DOMAIN)
    name = _NAMES.get(short) if short != service else None
    if name is None:
        raise InvalidInputException(f"Service {service} has no service-linked role that is known here.")
    if suffix is None:
        return f"{_PREFIX}{name}"
    if short not in _WITH_SUFFIX:
        raise InvalidInputException(f"Custom suffix is not allowed for {service}")
    return f"{_PREFIX}{name}_{suffix}"


def service_role_path(service: str) -> str:
    return f"{SERVICE_ROLES_PATH}{service}/"


def service_role_trust(service: str) -> str:
    """Nobody else assumes it."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


def service_role_taken(name: str) -> InvalidInputException:
    return InvalidInputException(
        f"Service role name {name} has been taken in this account, please try a different suffix."
    )
