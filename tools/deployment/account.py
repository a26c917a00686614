"""Facts of the caller's AWS account that make better defaults; unknown where it cannot be asked."""

from dataclasses import dataclass

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

QUICK = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2})


@dataclass(frozen=True, slots=True)
class Account:
    """`number`: None where no credentials work. `has_log_role`: None where it is unknown."""

    number: str | None = None
    has_log_role: bool | None = None


def configured_region() -> str:
    """Return the region that AWS's own tools would use; empty where there is none."""
    return boto3.session.Session().region_name or ""


def outputs_of(stack_name: str, region: str) -> dict[str, str]:
    """Return the outputs of a deployed stack; none where it cannot be asked."""
    client = boto3.client("cloudformation", region_name=region or None, config=QUICK)
    try:
        [found] = client.describe_stacks(StackName=stack_name)["Stacks"]
    except (BotoCoreError, ClientError):
        return {}
    return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}


def look_at(region: str) -> Account:
    """Ask the account for its number, and whether API Gateway has a role for its logs in a region."""
    try:
        number = boto3.client("sts", region_name=region, config=QUICK).get_caller_identity()["Account"]
    except (BotoCoreError, ClientError, ValueError):
        return Account()
    try:
        found = boto3.client("apigateway", region_name=region, config=QUICK).get_account()
    except (BotoCoreError, ClientError):
        return Account(number)
    return Account(number, bool(found.get("cloudwatchRoleArn")))
