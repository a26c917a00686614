"""A deployed stack as tests and checks see it: outputs, URL, clients, resources."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from acceptance.account import Account
from acceptance.errors import AcceptanceError
from local.stack import API_URL


@dataclass
class Deployed:
    """One stack of an account, by its name."""

    account: Account
    name: str

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs by name. Raises AcceptanceError where it is not deployed."""
        stack = describe(self.account, self.name)
        if stack is None:
            raise AcceptanceError(f"the stack {self.name} is not deployed in {self.account.region}")
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    @property
    def api_url(self) -> str:
        """Return the API's URL."""
        return public_url(self.account, self.outputs["ApiUrl"])

    def client(self, service: str) -> Any:
        """Return a client of a service, as the caller."""
        return self.account.client(service)

    def physical_id(self, logical_id: str) -> str:
        """Return the physical id of a resource. Raises AcceptanceError where there is none."""
        found = [each for each in self.resources() if each["LogicalResourceId"] == logical_id]
        if not found:
            raise AcceptanceError(f"the stack {self.name} has no resource {logical_id}")
        physical: str = found[0]["PhysicalResourceId"]
        return physical

    def resources(self, resource_type: str | None = None) -> list[dict[str, Any]]:
        """Return the stack's resources, of a type."""
        found = stack_resources(self.account, self.name)
        return [each for each in found if resource_type in (None, each["ResourceType"])]


def describe(account: Account, stack: str) -> dict[str, Any] | None:
    """Return a stack by its name or id; None where there is none."""
    try:
        [found] = account.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return dict(found)


def stack_resources(account: Account, stack: str) -> list[dict[str, Any]]:
    """Return the resources of a stack by its name or id, also those that its deletion kept."""
    pages = account.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    return [each for page in pages for each in page["StackResourceSummaries"]]


def tags_of(stack: dict[str, Any]) -> dict[str, str]:
    """Return the tags of a described stack."""
    return {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}


def public_url(account: Account, url: str) -> str:
    """Return the URL of a stage as it is reached: that of the emulator, where there is one."""
    found = API_URL.fullmatch(url)
    if account.endpoint is None or found is None:
        return url
    return f"{account.endpoint}/_aws/execute-api/{found['api']}/{found['stage']}"
