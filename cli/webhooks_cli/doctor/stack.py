"""The stack under examination: its description, its resources, and calls about them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from webhooks_cli.aws import Account, aws_errors
from webhooks_cli.deployment import Deployment
from webhooks_cli.doctor.findings import AbsentError, DeniedError, UnansweredError
from webhooks_cli.errors import MissingError

DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")
ABSENT = (
    "ResourceNotFoundException",
    "NotFoundException",
    "TableNotFoundException",
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
)
# Actions that are not named as the operation.
ACTIONS = {("apigateway", "GetAccount"): "apigateway:GET", ("apigateway", "GetStage"): "apigateway:GET"}


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of the stack by its name in the template and its name in AWS."""

    logical: str
    physical: str


class Stack:
    """One stack of an account. Its own description must be readable: without it there is nothing to check."""

    def __init__(self, deployment: Deployment) -> None:
        if not deployment.stack:
            raise MissingError(f"{deployment.origin} names no stack: give --stack (and --region)")
        self.name = deployment.stack
        self.deployment = deployment
        self._account = Account(deployment)

    @property
    def is_emulated(self) -> bool:
        """Whether an emulator has the stack: some settings of the template have no effect there."""
        return self.deployment.aws_endpoint is not None

    @cached_property
    def description(self) -> dict[str, Any]:
        """Return the stack as CloudFormation describes it. Raises CliError."""
        with aws_errors("cloudformation DescribeStacks"):
            found = self._account.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        return dict(found[0])

    @property
    def parameters(self) -> dict[str, str]:
        return {
            each["ParameterKey"]: each["ParameterValue"] for each in self.description.get("Parameters", [])
        }

    @property
    def outputs(self) -> dict[str, str]:
        return {each["OutputKey"]: each["OutputValue"] for each in self.description.get("Outputs", [])}

    def output(self, name: str) -> str:
        """Return an output; raises UnansweredError where a stack of another version has none."""
        if name not in self.outputs:
            raise UnansweredError(f"the stack has no output {name}")
        return self.outputs[name]

    @cached_property
    def _resources(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for page in self.pages("cloudformation", "ListStackResources", StackName=self.name):
            for each in page["StackResourceSummaries"]:
                resource = Resource(each["LogicalResourceId"], each.get("PhysicalResourceId", ""))
                found.setdefault(each["ResourceType"], []).append(resource)
        return found

    def resources(self, resource_type: str) -> list[Resource]:
        """Return the resources of a type."""
        return self._resources.get(resource_type, [])

    def call(self, service: str, operation: str, **arguments: Any) -> dict[str, Any]:
        """Call AWS. Raises DeniedError, AbsentError, UnansweredError."""
        from botocore import exceptions, xform_name  # noqa: PLC0415 - as in aws.py

        try:
            method = getattr(self._account.client(service), xform_name(operation))
            response: dict[str, Any] = method(**arguments)
        except exceptions.ClientError as error:
            code = error.response.get("Error", {}).get("Code", "Unknown")
            if code in DENIED:
                action = ACTIONS.get((service, operation), f"{service}:{operation}")
                raise DeniedError(action) from None
            if code in ABSENT:
                raise AbsentError(f"{service} {operation}: {code}") from None
            raise UnansweredError(f"{service} {operation}: {code}") from None
        except exceptions.BotoCoreError as error:
            raise UnansweredError(f"{service} {operation}: {type(error).__name__}") from None
        return response

    def pages(self, service: str, operation: str, *, most: int = 100, **arguments: Any) -> Any:
        """Yield the pages of a listing, `most` of them at the most. Raises as `call` does."""
        more = dict(arguments)
        for _ in range(most):
            page = self.call(service, operation, **more)
            yield page
            for name in ("NextToken", "NextMarker"):
                if page.get(name):
                    more["Marker" if name == "NextMarker" else name] = page[name]
                    break
            else:
                return

    def option(self) -> str:
        """Return the options with which another command finds this stack."""
        region = f" --region {self.deployment.region}" if self.deployment.region else ""
        return f"--stack {self.name}{region}"

    def aws(self, command: str) -> str:
        """Return a command of the AWS CLI for the stack's region."""
        region = f" --region {self.deployment.region}" if self.deployment.region else ""
        return f"aws {command}{region}"
