"""The AWS account and region that a run works in: the caller's, or an emulator's."""

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
import botocore.config
from botocore.exceptions import BotoCoreError, ClientError

from acceptance.errors import RefusedError

# Calls are repeated for long: a throttled one must not end a run, still less its tear-down.
CONFIG = botocore.config.Config(
    retries={"mode": "standard", "total_max_attempts": 8}, connect_timeout=10, read_timeout=70
)
EMULATOR_CONFIG = botocore.config.Config(
    retries={"total_max_attempts": 2}, proxies={}, s3={"addressing_style": "path"}
)


@dataclass
class Account:
    """An account by its number, in one region; `endpoint` is an emulator's URL."""

    id: str
    region: str
    caller: str
    endpoint: str | None = None
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def partition(self) -> str:
        """Return the partition of ARNs, such as `aws`."""
        return self.caller.split(":")[1]

    @property
    def is_emulator(self) -> bool:
        """Tell whether the account is an emulator's."""
        return self.endpoint is not None

    def client(self, service: str) -> Any:
        """Return a client of a service."""
        if service not in self._clients:
            self._clients[service] = make_client(service, self.region, self.endpoint)
        return self._clients[service]

    def client_as(self, role_arn: str, service: str) -> Any:
        """Return a client that acts as a role. Raises ClientError where the role cannot be assumed (yet)."""
        given = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="acceptance")["Credentials"]
        return boto3.client(  # type: ignore[call-overload]  # one overload for each service
            service,
            region_name=self.region,
            endpoint_url=self.endpoint,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
            config=EMULATOR_CONFIG if self.endpoint else CONFIG,
        )


def make_client(service: str, region: str, endpoint: str | None) -> Any:
    """Return a client by the caller's own credentials."""
    return boto3.client(  # type: ignore[call-overload]
        service,
        region_name=region,
        endpoint_url=endpoint,
        config=EMULATOR_CONFIG if endpoint else CONFIG,
    )


def open_account() -> Account:
    """Return the account of the caller's credentials. Raises RefusedError."""
    region = os.environ.get("AWS_REGION") or boto3.session.Session().region_name
    if not region:
        raise RefusedError("no region: set AWS_REGION, or the region of your AWS profile")
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or None
    try:
        found = make_client("sts", region, endpoint).get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise RefusedError(
            f"AWS does not know the caller: {error}. `aws sts get-caller-identity` must work"
        ) from None
    return Account(found["Account"], region, found["Arn"], endpoint)
